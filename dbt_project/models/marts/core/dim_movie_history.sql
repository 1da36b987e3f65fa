{{ config(
    unique_key=['movie_id', 'valid_from'],
    indexes=[{'columns': ['valid_from']}],
    meta={'replaces': 'movie_id'}
) }}

-- the lists of columns are written by loops, whose indentation the linter cannot follow
-- noqa: disable=LT02,LT05

with snapshot as not materialized (
    select * from {{ ref('stg_tmdb__movie_snapshot') }}
),

version as not materialized (
    select * from {{ ref('stg_tmdb__movie_version') }}
),

-- the foreign key's parent: read here, so that it is made first, also by an increment, which does not need it
movie as ( -- noqa: ST03
    select * from {{ ref('dim_movie') }}
),

-- A snapshot that says what is known of its day changes nothing, whenever it came; the others' films are looked at
-- again.
changed_movie as (
    {% if is_incremental() and not is_rebuild() %}
        select distinct new_snapshot.movie_id
        from snapshot as new_snapshot
        left join version
            on
                new_snapshot.movie_id = version.movie_id
                and new_snapshot.content_hash = version.content_hash
        left join {{ this }} as known
            on
                new_snapshot.movie_id = known.movie_id
                and new_snapshot.snapshot_date >= known.valid_from
                and (new_snapshot.snapshot_date < known.valid_to or known.valid_to is null)
        where
            {{ is_new('new_snapshot.load_id') }}
            and version.description_hash is distinct from
            case when known.movie_id is not null then {{ description_hash('known') }} end
    {% else %}
        select movie_id from movie
    {% endif %}
),

compared as (
    select
        snapshot.movie_id,
        snapshot.snapshot_date,
        snapshot.content_hash,
        snapshot.load_id,
        version.description_hash,
        lag(version.description_hash) over snapshots as hash_before,
        lag(snapshot.snapshot_date) over snapshots as date_before
    from snapshot
    inner join changed_movie on snapshot.movie_id = changed_movie.movie_id
    left join version
        on
            snapshot.movie_id = version.movie_id
            and snapshot.content_hash = version.content_hash
    window snapshots as (partition by snapshot.movie_id order by snapshot.snapshot_date)
),

-- a film that has gone ends its version and begins none
turn as (
    select
        movie_id,
        content_hash,
        snapshot_date as valid_from,
        lead(snapshot_date) over turns as valid_to,
        hash_before is null and date_before is not null as is_back,
        load_id
    from compared
    where description_hash is distinct from hash_before
    window turns as (partition by movie_id order by snapshot_date)
),

described as (
    select
        turn.movie_id,
        turn.valid_from,
        turn.valid_to,
        turn.is_back,
        turn.load_id,
        lag(turn.valid_from) over versions is null as is_first
        {%- for column in descriptive_columns() %},
            version.{{ column }},
            lag(version.{{ column }}) over versions as {{ column }}_before
        {%- endfor %}
    from turn
    inner join version
        on
            turn.movie_id = version.movie_id
            and turn.content_hash = version.content_hash
    window versions as (partition by turn.movie_id order by turn.valid_from)
)

select
    changed_movie.movie_id,
    described.valid_from,
    described.valid_to,
    described.valid_to is null as is_current,
    case when described.is_first then 'first seen' when described.is_back then 'reappeared' else 'changed' end as change_kind,
    case
        when not described.is_first
            then nullif(concat_ws(
                ', ',
                {% for column in descriptive_columns() %}
                    case when described.{{ column }} is distinct from described.{{ column }}_before then '{{ column }}' end
                    {{- ',' if not loop.last }}
                {% endfor %}
            ), '')
    end as changed_columns,
    {% for column in descriptive_columns() %}
        described.{{ column }},
    {% endfor %}
    described.load_id
from changed_movie
{{ 'left' if is_incremental() else 'inner' }} join described on changed_movie.movie_id = described.movie_id
