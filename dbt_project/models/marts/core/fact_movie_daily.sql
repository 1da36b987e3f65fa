{{ config(
    unique_key=['date_id', 'movie_id'],
    indexes=[
        {'columns': ['movie_id', 'date_id desc']},
        {'columns': ['date_id']},
        {'columns': ['load_id']},
    ],
    meta={
        'loads_after': ['dim_movie', 'dim_date'],
        'delete_when': 'load_id is null',
    }
) }}

-- the foreign keys need the rows of the dimensions first
-- depends_on: {{ ref('dim_movie') }}
-- depends_on: {{ ref('dim_date') }}
-- read on increments only
-- depends_on: {{ ref('stg_tmdb__movie_snapshot') }}

select
    snapshot_date as date_id,
    movie_id,
    popularity,
    vote_average,
    vote_count,
    load_id
from {{ ref('stg_tmdb__movie') }}
where {{ load_window() }}
{% if is_incremental() %}

    union all

    -- a re-run of the same day may find the film gone: its measures of that day go too (load_id NULL)
    select
        snapshot_date as date_id,
        movie_id,
        null::numeric(14, 6) as popularity,
        null::numeric(5, 3) as vote_average,
        null::integer as vote_count,
        null::bigint as load_id
    from {{ ref('stg_tmdb__movie_snapshot') }}
    where is_gone and {{ load_window() }}
{% endif %}
