{{ config(
    incremental_strategy='replace_per_movie',
    unique_key=['movie_id', 'company_id'],
    indexes=[{'columns': ['company_id', 'movie_id']}],
    meta={'loads_after': ['dim_movie', 'dim_company']}
) }}

-- the foreign keys need the rows of the dimensions first
-- depends_on: {{ ref('dim_movie') }}
-- depends_on: {{ ref('dim_company') }}

{{ bridge_rows(ref('stg_tmdb__movie_company'), 'company_id') }}
