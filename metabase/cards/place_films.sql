select
    movie.title as "Film",
    movie.release_date as "Released",
    original.name as "Language",
    round(movie.popularity, 1) as "Popularity",
    movie.vote_average as "Rating",
    movie.vote_count as "Votes",
    movie.movie_id as "TMDB id"
from {{ ref('vw_movie_latest') }} as movie
left join {{ ref('dim_language') }} as original on movie.original_language = original.iso_639_1
where
    not movie.is_stale
    and movie.vanished_on is null
{{ include('place_conditions') }}
    [[and movie.vote_count >= {{ min_votes }}]]
order by movie.popularity desc nulls last, movie.movie_id asc
limit 100
