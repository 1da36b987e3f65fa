with {{ current_movies() }}

-- by points and not by percent: from next to nothing, any rise is thousands of percent
select
    row_number() over (
        order by current_movie.popularity - current_movie.popularity_7d desc, current_movie.movie_id asc
    ) as rank,
    current_movie.movie_id,
    movie.title,
    movie.release_date,
    current_movie.date_id,
    current_movie.date_id_7d as compared_with,
    current_movie.popularity,
    (current_movie.popularity - current_movie.popularity_7d)::numeric(14, 6) as popularity_change,
    {{ percent_change('current_movie.popularity', 'current_movie.popularity_7d') }}
        as popularity_change_percent,
    current_movie.vote_count - current_movie.vote_count_7d as vote_count_change,
    {{ weighted_rating(
        'current_movie.vote_average * current_movie.vote_count', 'current_movie.vote_count'
    ) }}
        as weighted_rating
from current_movie
inner join movie on current_movie.movie_id = movie.movie_id
cross join newest
cross join rating_prior
where
    current_movie.popularity > current_movie.popularity_7d
    -- seen in the last week: what rose a month ago is not rising
    and current_movie.date_id > newest.date_id - 7
order by rank
