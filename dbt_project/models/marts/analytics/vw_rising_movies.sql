with {{ current_movies() }},

-- by points and not by percent: from next to nothing, any rise is thousands of percent
ranked as (
    select
        trend.movie_id,
        trend.date_id,
        trend.date_id_7d,
        trend.popularity,
        trend.popularity_7d,
        trend.vote_count - trend.vote_count_7d as vote_count_change,
        {{ weighted_rating('trend.vote_average * trend.vote_count', 'trend.vote_count') }} as weighted_rating,
        row_number() over (order by trend.popularity - trend.popularity_7d desc, trend.movie_id asc) as rank
    from {{ ref('agg_movie_trend') }} as trend
    where
        trend.popularity > trend.popularity_7d
        -- seen in the last week: what rose a month ago is not rising
        and trend.date_id > (select max(newest.date_id) from {{ ref('agg_movie_trend') }} as newest) - 7
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
    round(100 * (ranked.popularity / nullif(ranked.popularity_7d, 0) - 1), 1)::numeric(14, 1)
        as popularity_change_percent,
    ranked.vote_count_change,
    ranked.weighted_rating
from ranked
inner join {{ ref('dim_movie') }} as movie on ranked.movie_id = movie.movie_id
order by ranked.rank
