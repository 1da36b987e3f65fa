{{ include('tonight') }},

shown as (
    select candidate.*
    from candidate
    order by candidate.score desc nulls last, candidate.vote_count desc, candidate.movie_id asc
    limit 50
),

genres_of_film as (
    select
        of_genre.movie_id,
        string_agg(genre.name, ', ' order by genre.name) as names
    from {{ ref('bridge_movie_genre') }} as of_genre
    inner join {{ ref('dim_genre') }} as genre on of_genre.genre_id = genre.genre_id
    where of_genre.movie_id in (select shown.movie_id from shown)
    group by of_genre.movie_id
)

select
    shown.title as "Film",
    shown.release_date as "Released",
    genres_of_film.names as "Genres",
    original.name as "Language",
    nullif(shown.runtime, 0) as "Minutes",
    round(shown.weighted_rating, 2) as "Weighted rating",
    shown.vote_count as "Votes",
    round(shown.popularity_change_7d, 1) as "Popularity in a week",
    shown.movie_id as "TMDB id"
from shown
left join genres_of_film on shown.movie_id = genres_of_film.movie_id
left join {{ ref('dim_language') }} as original on shown.original_language = original.iso_639_1
order by shown.score desc nulls last, shown.vote_count desc, shown.movie_id asc
