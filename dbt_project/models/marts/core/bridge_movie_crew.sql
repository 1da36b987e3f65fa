{{ config(
    incremental_strategy='replace_per_movie',
    unique_key=['movie_id', 'credit_id'],
    indexes=[{'columns': ['person_id', 'movie_id']}],
    meta={'loads_after': ['dim_movie', 'dim_person', 'int_movie_full_snapshot']}
) }}

-- the foreign keys need the rows of the dimensions first
-- depends_on: {{ ref('dim_movie') }}
-- depends_on: {{ ref('dim_person') }}

{{ full_snapshot_rows(
    ref('stg_tmdb__movie_crew'), 'credits_date', ['credit_id', 'person_id', 'department', 'job']
) }}
