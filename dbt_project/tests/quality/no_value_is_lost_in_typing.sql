{{ config(severity='warn') }}

-- staging reads a value that cannot be as unknown, and leaves out an element without a key, rather than to
-- fail; here it is shown
with snapshot as (
    select * from {{ ref('stg_tmdb__movie_snapshot') }}
),

version as (
    select * from {{ ref('int_movie_version') }}
)

-- not unnested after the union: all of both tables would come to Citus's coordinator
select
    snapshot.movie_id,
    snapshot.snapshot_date,
    lost.field
from snapshot
cross join lateral unnest(snapshot.lost_fields) as lost (field)
where {{ landed_lately('snapshot.load_id') }}

union all

select
    version.movie_id,
    version.first_seen_on as snapshot_date,
    lost.field
from version
cross join lateral unnest(version.lost_fields) as lost (field)
where {{ landed_lately('version.load_id') }}
