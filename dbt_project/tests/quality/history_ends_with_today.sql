with movie as (
    select * from {{ ref('dim_movie') }}
),

history as (
    select * from {{ ref('dim_movie_history') }}
)

select
    movie.movie_id,
    movie.vanished_on,
    history.valid_from
from movie
left join history
    on movie.movie_id = history.movie_id and history.is_current
where
    (history.movie_id is null) <> (movie.vanished_on is not null)
    or (
        history.movie_id is not null
        and (
            history.original_title, history.original_language, history.release_date,
            history.status, history.runtime,
            history.budget, history.revenue, history.imdb_id, history.collection_id, history.overview
        ) is distinct from (
            movie.original_title, movie.original_language, movie.release_date,
            movie.status, movie.runtime,
            movie.budget, movie.revenue, movie.imdb_id, movie.collection_id, movie.overview
        )
    )
