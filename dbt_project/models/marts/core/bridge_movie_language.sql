{{ config(
    incremental_strategy='replace_per_movie',
    unique_key=['movie_id', 'iso_639_1'],
    indexes=[{'columns': ['iso_639_1', 'movie_id']}],
    meta={'loads_after': ['dim_movie', 'dim_language']}
) }}

-- the foreign keys need the rows of the dimensions first
-- depends_on: {{ ref('dim_movie') }}
-- depends_on: {{ ref('dim_language') }}

{{ bridge_rows(ref('stg_tmdb__movie_language'), 'iso_639_1') }}
