with {{ current_movies() }},

movie_genre as (
    select * from {{ ref('bridge_movie_genre') }}
),

genre as (
    select * from {{ ref('dim_genre') }}
)

select
    genre.genre_id,
    genre.name as genre_name,
    avg(current_movie.popularity)::numeric(14, 6) as avg_popularity,
    sum(current_movie.vote_count)::bigint as total_votes,
    count(*)::bigint as movie_count
from current_movie
inner join movie_genre on current_movie.movie_id = movie_genre.movie_id
inner join genre on movie_genre.genre_id = genre.genre_id
group by genre.genre_id, genre.name
