{{ config(
    incremental_strategy='replace_per_movie',
    unique_key=['movie_id', 'genre_id'],
    indexes=[{'columns': ['genre_id', 'movie_id']}],
    meta={'loads_after': ['dim_movie', 'dim_genre']}
) }}

-- the foreign keys need the rows of the dimensions first
-- depends_on: {{ ref('dim_movie') }}
-- depends_on: {{ ref('dim_genre') }}

{{ bridge_rows(ref('stg_tmdb__movie_genre'), 'genre_id') }}
