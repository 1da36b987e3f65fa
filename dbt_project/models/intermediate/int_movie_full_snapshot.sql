{{ config(
    materialized='incremental',
    incremental_strategy='upsert',
    unique_key='movie_id',
    on_schema_change='append_new_columns',
    contract={'enforced': true},
    post_hook='{{ record_load_watermark() }}',
    indexes=[{'columns': ['load_id']}],
) }}

-- Credits and keywords come about once in 30 days, and a later run of the same day may even take them back.
-- This keeps, for each film, the snapshot that has them; load_id says which batch made that change. So what
-- is built on it reads the few films whose lists changed and not every film of the day.
with changed_movie as (
    select
        movie_id,
        max(load_id) as load_id
    from {{ ref('stg_tmdb__movie_snapshot') }}
    where {{ load_window() }}
    group by movie_id
)

select
    changed_movie.movie_id,
    credits.snapshot_date as credits_date,
    credits.load_id as credits_load_id,
    keywords.snapshot_date as keywords_date,
    keywords.load_id as keywords_load_id,
    changed_movie.load_id
from changed_movie
left join lateral (
    select
        full_snapshot.snapshot_date,
        full_snapshot.load_id
    from {{ ref('stg_tmdb__movie_full_snapshot') }} as full_snapshot
    where
        full_snapshot.movie_id = changed_movie.movie_id
        and {{ within_load_horizon('full_snapshot.load_id') }}
    order by full_snapshot.snapshot_date desc
    limit 1
) as credits on true
left join lateral (
    select
        full_snapshot.snapshot_date,
        full_snapshot.load_id
    from {{ ref('stg_tmdb__movie_full_snapshot') }} as full_snapshot
    where
        full_snapshot.movie_id = changed_movie.movie_id
        and full_snapshot.has_keywords
        and {{ within_load_horizon('full_snapshot.load_id') }}
    order by full_snapshot.snapshot_date desc
    limit 1
) as keywords on true
