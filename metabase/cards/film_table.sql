select
    row_number() over (
        order by
            movie.popularity desc nulls last,
            movie.vote_average desc nulls last,
            movie.vote_count desc nulls last,
            movie.movie_id asc
    ) as "Rank",
    movie.title as "Film",
    movie.release_date as "Released",
    (
        select string_agg(genre.name, ', ' order by genre.name)
        from {{ ref('bridge_movie_genre') }} as of_genre
        inner join {{ ref('dim_genre') }} as genre on of_genre.genre_id = genre.genre_id
        where of_genre.movie_id = movie.movie_id
    ) as "Genres",
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
{{ include('film_conditions') }}
    [[and movie.vote_count >= {{ min_votes }}]]
order by "Rank"
limit 200
