{{ config(severity='warn') }}

-- staging reads a value that cannot be as unknown, and leaves out an element without a key, rather than to
-- fail; here it is shown
with snapshot as (
    select * from {{ ref('stg_tmdb__movie_snapshot') }}
),

version as (
    select * from {{ ref('int_movie_version') }}
),

read as (
    select
        movie_id,
        snapshot_date,
        lost_fields
    from snapshot
    where {{ landed_lately() }}

    union all

    select
        movie_id,
        first_seen_on as snapshot_date,
        lost_fields
    from version
    where {{ landed_lately() }}
)

select
    read.movie_id,
    read.snapshot_date,
    lost.field
from read
cross join lateral unnest(read.lost_fields) as lost (field)
