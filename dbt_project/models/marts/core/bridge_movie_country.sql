{{ config(
    incremental_strategy='replace_per_movie',
    unique_key=['movie_id', 'iso_3166_1'],
    indexes=[{'columns': ['iso_3166_1', 'movie_id']}],
    meta={'loads_after': ['dim_movie', 'dim_country']}
) }}

-- the foreign keys need the rows of the dimensions first
-- depends_on: {{ ref('dim_movie') }}
-- depends_on: {{ ref('dim_country') }}

{{ bridge_rows(ref('stg_tmdb__movie_country'), 'iso_3166_1') }}
