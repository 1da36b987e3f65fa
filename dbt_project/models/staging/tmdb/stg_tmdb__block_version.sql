{{ config(
    unique_key=['movie_id', 'version_hash'],
    indexes=[{'columns': ['load_id']}],
    post_hook='{{ analyze_loads() }}'
) }}

-- Every content that a block of a film ever had, and the first day that shows it. It is a function of
-- the snapshots, not of the order in which they came: a late day may be an earlier first, and where the
-- first day was landed anew with another content, the next day that shows the old one is. A version
-- that no day shows any more has none, and its rows go.
with snapshot as not materialized (
    select * from {{ ref('stg_tmdb__movie_snapshot') }}
),

new_snapshot as {{ read_once() }} (
    select *
    from snapshot
    where {{ is_new() }}
),

shown as (
    select
        new_snapshot.movie_id,
        version.block,
        version.version_hash,
        min(new_snapshot.snapshot_date) as shown_on,
        max(new_snapshot.load_id) as load_id
    from new_snapshot
    cross join lateral unnest(
        array[{{ "'" ~ hashes_of_blocks() | join("', '") ~ "'" }}],
        array[{{ hashes_of_blocks('new_snapshot').values() | join(', ') }}]
    ) as version (block, version_hash)
    where version.version_hash is not null
    group by new_snapshot.movie_id, version.block, version.version_hash
)

{% if is_incremental() %}
    ,

    known as not materialized (
        select * from {{ this }}
    ),

    -- whose first day was landed anew, and no longer shows them
    settled as {{ read_once() }} (
        select
            known.movie_id,
            known.version_hash,
            known.block,
            min(snapshot.snapshot_date) as first_seen_on,
            max(new_snapshot.load_id) as load_id
        from known
        inner join new_snapshot
            on
                known.movie_id = new_snapshot.movie_id
                and known.first_seen_on = new_snapshot.snapshot_date
        left join snapshot
            on
                known.movie_id = snapshot.movie_id
                and known.version_hash in ({{ hashes_of_blocks('snapshot').values() | join(', ') }})
        where
            not coalesce(
                known.version_hash in ({{ hashes_of_blocks('new_snapshot').values() | join(', ') }}), false
            )
        group by known.movie_id, known.version_hash, known.block
    )

    select
        movie_id,
        version_hash,
        block,
        first_seen_on,
        load_id
    from settled

    union all
{% endif %}

select
    shown.movie_id,
    shown.version_hash,
    shown.block,
    least(shown.shown_on{{ ', known.first_seen_on' if is_incremental() }}) as first_seen_on,
    shown.load_id
from shown
{% if is_incremental() %}
    left join known on shown.movie_id = known.movie_id and shown.version_hash = known.version_hash
    left join settled on shown.movie_id = settled.movie_id and shown.version_hash = settled.version_hash
    where settled.movie_id is null
{% endif %}
