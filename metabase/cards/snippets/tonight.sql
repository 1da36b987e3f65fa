-- Rated well by enough people: as if so many more had voted the mean of all films. Rising: more popular than a
-- week ago. Each counts as its place among the films that the filters leave.
with candidate as (
    select
        movie.movie_id,
        movie.title,
        movie.release_date,
        movie.runtime,
        movie.original_language,
        movie.vote_count,
        trend.weighted_rating,
        trend.popularity_change_7d,
        percent_rank() over (order by trend.weighted_rating)
        + percent_rank() over (order by coalesce(trend.popularity_change_7d, 0)) / 2 as score
    from {{ ref('vw_movie_latest') }} as movie
    inner join {{ ref('vw_movie_trend') }} as trend on movie.movie_id = trend.movie_id
    where
        not movie.is_stale
        and movie.vanished_on is null
        and movie.release_date <= current_date
        and movie.vote_count >= {{ min_votes }}
{{ include('film_conditions') }}
        [[and movie.runtime between 1 and {{ max_minutes }}]]
)
