-- the film chosen (its id ends the filter's value), or else the most popular one
with film as (
    select movie.movie_id
    from {{ ref('dim_movie') }} as movie
    where movie.movie_id = coalesce(
        [[substring({{ film }} from '[0-9]+$')::bigint,]]
        (select top.movie_id from {{ ref('vw_top_movies') }} as top where top.rank = 1)
    )
)
