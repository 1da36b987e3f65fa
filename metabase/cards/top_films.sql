select
    movie.title as "Film",
    round(movie.popularity, 1) as "Popularity"
from {{ ref('vw_movie_latest') }} as movie
where
    not movie.is_stale
{{ include('film_conditions') }}
    [[and movie.vote_count >= {{ min_votes }}]]
order by
    movie.popularity desc nulls last,
    movie.vote_average desc nulls last,
    movie.vote_count desc nulls last,
    movie.movie_id asc
limit 10
