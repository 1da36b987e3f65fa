with {{ current_movies() }},

-- by points and not by percent: from next to nothing, any rise is thousands of percent
ranked as (
    select
        current_movie.movie_id,
        current_movie.date_id,
        current_movie.date_id_7d,
        current_movie.popularity,
        current_movie.popularity_7d,
        current_movie.vote_count - current_movie.vote_count_7d as vote_count_change,
        {{ weighted_rating(
            'current_movie.vote_average * current_movie.vote_count', 'current_movie.vote_count'
        ) }}
            as weighted_rating,
        row_number()
            over (
                order by
                    current_movie.popularity - current_movie.popularity_7d desc, current_movie.movie_id asc
            )
            as rank
    from current_movie
    cross join newest
    cross join rating_prior
    where
        current_movie.popularity > current_movie.popularity_7d
        -- seen in the last week: what rose a month ago is not rising
        and current_movie.date_id > newest.date_id - 7
)

select
    ranked.rank,
    ranked.movie_id,
    movie.title,
    movie.release_date,
    ranked.date_id,
    ranked.date_id_7d as compared_with,
    ranked.popularity,
    (ranked.popularity - ranked.popularity_7d)::numeric(14, 6) as popularity_change,
    {{ percent_change('ranked.popularity', 'ranked.popularity_7d') }} as popularity_change_percent,
    ranked.vote_count_change,
    ranked.weighted_rating
from ranked
inner join movie on ranked.movie_id = movie.movie_id
order by ranked.rank
