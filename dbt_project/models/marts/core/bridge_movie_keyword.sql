{{ config(
    incremental_strategy='replace_per_movie',
    unique_key=['movie_id', 'keyword_id'],
    indexes=[{'columns': ['keyword_id', 'movie_id']}],
    meta={'loads_after': ['dim_movie', 'dim_keyword', 'int_movie_full_snapshot']}
) }}

-- the foreign keys need the rows of the dimensions first
-- depends_on: {{ ref('dim_movie') }}
-- depends_on: {{ ref('dim_keyword') }}

{{ full_snapshot_rows(ref('stg_tmdb__movie_keyword'), 'keywords_date', ['keyword_id']) }}
