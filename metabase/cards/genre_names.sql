select genre.name as "Genre"
from {{ ref('dim_genre') }} as genre
where
    genre.name is not null
    and exists (
        select 1 from {{ ref('bridge_movie_genre') }} as movie_genre
        where movie_genre.genre_id = genre.genre_id
    )
order by genre.name
