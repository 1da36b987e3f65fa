{{ config(
    unique_key=['movie_id', 'iso_3166_1', 'provider_id', 'offer_type', 'changed_on'],
    indexes=[{'columns': ['changed_on']}],
    meta={'replaces': 'movie_id'}
) }}

-- What each film's list of offers says otherwise than the one before. What the first one has is nothing that
-- joined: nobody has looked before.
with snapshot as not materialized (
    select * from {{ ref('stg_tmdb__movie_snapshot') }}
),

provider as not materialized (
    select * from {{ ref('stg_tmdb__movie_provider') }}
),

movie as {{ read_once() }} (
    select * from {{ ref('dim_movie') }}
),

dim_provider as (
    select * from {{ ref('dim_provider') }}
),

changed_movie as {{ read_once() }} (
    {% if is_incremental() and not is_rebuild() %}
        select movie_id
        from snapshot
        where watch_providers_hash is not null and {{ is_new() }}

        union distinct

        -- the day that was compared was landed anew without providers
        select known.movie_id
        from {{ this }} as known
        inner join snapshot
            on
                known.movie_id = snapshot.movie_id
                and snapshot.snapshot_date in (known.changed_on, known.compared_with)
        where {{ is_new('snapshot.load_id') }}
    {% else %}
        select movie_id from movie
    {% endif %}
),

compared as (
    select
        snapshot.movie_id,
        snapshot.snapshot_date as changed_on,
        snapshot.watch_providers_hash,
        snapshot.load_id,
        lag(snapshot.snapshot_date) over snapshots as compared_with,
        lag(snapshot.watch_providers_hash) over snapshots as hash_before
    from snapshot
    inner join changed_movie on snapshot.movie_id = changed_movie.movie_id
    where snapshot.watch_providers_hash is not null
    window snapshots as (partition by snapshot.movie_id order by snapshot.snapshot_date)
),

-- where a list differs from the one before, what it has may have joined, and what that one had may have left
turn as (
    select
        compared.movie_id,
        compared.changed_on,
        compared.compared_with,
        compared.load_id,
        side.change_kind,
        side.watch_providers_hash
    from compared
    cross join
        lateral unnest(
            array['joined', 'left'],
            array[compared.watch_providers_hash, compared.hash_before]
        ) as side (change_kind, watch_providers_hash)
    where compared.hash_before <> compared.watch_providers_hash
),

-- what was there before and is still there, in both lists, did neither
change as (
    select
        turn.movie_id,
        provider.iso_3166_1,
        provider.provider_id,
        provider.offer_type,
        turn.changed_on,
        turn.compared_with,
        min(turn.change_kind) as change_kind,
        max(turn.load_id) as load_id
    from turn
    inner join provider
        on
            turn.movie_id = provider.movie_id
            and turn.watch_providers_hash = provider.watch_providers_hash
    inner join movie on turn.movie_id = movie.movie_id
    inner join dim_provider on provider.provider_id = dim_provider.provider_id
    group by
        turn.movie_id, provider.iso_3166_1, provider.provider_id, provider.offer_type, turn.changed_on,
        turn.compared_with
    having count(*) = 1
)

select
    changed_movie.movie_id,
    change.iso_3166_1,
    change.provider_id,
    change.offer_type,
    change.changed_on,
    change.compared_with,
    change.change_kind,
    coalesce(change.load_id, 0) as load_id
from changed_movie
{{ 'left' if is_incremental() else 'inner' }} join change on changed_movie.movie_id = change.movie_id
