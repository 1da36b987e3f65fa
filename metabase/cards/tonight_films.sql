{{ include('tonight') }}

select
    candidate.title as "Film",
    candidate.release_date as "Released",
    (
        select string_agg(genre.name, ', ' order by genre.name)
        from {{ ref('bridge_movie_genre') }} as of_genre
        inner join {{ ref('dim_genre') }} as genre on of_genre.genre_id = genre.genre_id
        where of_genre.movie_id = candidate.movie_id
    ) as "Genres",
    original.name as "Language",
    nullif(candidate.runtime, 0) as "Minutes",
    round(candidate.weighted_rating, 2) as "Weighted rating",
    candidate.vote_count as "Votes",
    round(candidate.popularity_change_7d, 1) as "Popularity in a week",
    candidate.movie_id as "TMDB id"
from candidate
left join {{ ref('dim_language') }} as original on candidate.original_language = original.iso_639_1
order by candidate.score desc nulls last, candidate.vote_count desc, candidate.movie_id asc
limit 50
