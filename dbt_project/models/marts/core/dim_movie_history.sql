{{ config(
    incremental_strategy='replace_per_movie',
    unique_key=['movie_id', 'valid_from'],
    indexes=[{'columns': ['valid_from']}],
    meta={'loads_after': ['dim_movie']}
) }}

-- the foreign key needs the film's row first
-- depends_on: {{ ref('dim_movie') }}

-- the lists of columns are written by loops, whose indentation the linter cannot follow
-- noqa: disable=LT02,LT05,AM09

-- digests first and descriptions last: there are many snapshots, but few versions
with {% if is_incremental() %}
new_state as (
    select
        movie.movie_id,
        movie.snapshot_date,
        {{ description_digest('movie') }} as digest
    from {{ ref('stg_tmdb__movie') }} as movie
    where {{ load_window('movie.load_id') }}

    union all

    select
        movie_id,
        snapshot_date,
        null as digest
    from {{ ref('stg_tmdb__movie_snapshot') }}
    where is_gone and {{ load_window() }}
),

-- a snapshot that says what is known of its day changes nothing, whenever it came
changed_movie as (
    select distinct new_state.movie_id
    from new_state
    left join {{ this }} as version
        on
            new_state.movie_id = version.movie_id
            and new_state.snapshot_date >= version.valid_from
            and (new_state.snapshot_date < version.valid_to or version.valid_to is null)
    where
        new_state.digest is distinct from
        case when version.movie_id is not null then {{ description_digest('version') }} end
),

-- versions older than all that the landing zone still has of the film (`extractor prune`) stay as they are
kept_version as (
    select version.*
    from changed_movie
    inner join {{ this }} as version on changed_movie.movie_id = version.movie_id
    where
        version.valid_from < (
            select min(movie_snapshot.snapshot_date)
            from {{ ref('stg_tmdb__movie_snapshot') }} as movie_snapshot
            where movie_snapshot.movie_id = version.movie_id
        )
),

state as (
    select
        version.movie_id,
        version.valid_from as snapshot_date,
        {{ description_digest('version') }} as digest
    from kept_version as version

    union all

    -- where none follows, TMDB did not have the film; a snapshot of that day that is still there says so itself
    select
        version.movie_id,
        version.valid_to as snapshot_date,
        null as digest
    from kept_version as version
    where
        not exists (
            select 1
            from {{ ref('stg_tmdb__movie_snapshot') }} as movie_snapshot
            where movie_snapshot.movie_id = version.movie_id and movie_snapshot.snapshot_date = version.valid_to
        )
        and not exists (
            select 1
            from kept_version as next_version
            where next_version.movie_id = version.movie_id and next_version.valid_from = version.valid_to
        )
        and version.valid_to is not null

    union all

    -- of what is not new, the versions know how it was described: no answer of TMDB is read again
    select
        changed_movie.movie_id,
        snapshot.snapshot_date,
        case
            when new_state.movie_id is not null then new_state.digest
            when version.movie_id is not null then {{ description_digest('version') }}
        end as digest
    from changed_movie
    cross join lateral (
        select movie_snapshot.snapshot_date
        from {{ ref('stg_tmdb__movie_snapshot') }} as movie_snapshot
        where
            movie_snapshot.movie_id = changed_movie.movie_id
            and {{ within_load_horizon('movie_snapshot.load_id') }}
        -- `offset 0` keeps this a walk along the index, film by film
        offset 0
    ) as snapshot
    left join new_state
        on
            changed_movie.movie_id = new_state.movie_id
            and snapshot.snapshot_date = new_state.snapshot_date
    left join {{ this }} as version
        on
            changed_movie.movie_id = version.movie_id
            and snapshot.snapshot_date >= version.valid_from
            and (snapshot.snapshot_date < version.valid_to or version.valid_to is null)
),
{% else %}
changed_movie as (
    select distinct movie_id
    from {{ ref('stg_tmdb__movie_snapshot') }}
    where {{ load_window() }}
),

state as (
    select
        movie.movie_id,
        movie.snapshot_date,
        {{ description_digest('movie') }} as digest
    from {{ ref('stg_tmdb__movie') }} as movie
    where {{ load_window('movie.load_id') }}

    union all

    select
        movie_id,
        snapshot_date,
        null as digest
    from {{ ref('stg_tmdb__movie_snapshot') }}
    where is_gone and {{ load_window() }}
),
{% endif %}

compared as (
    select
        movie_id,
        snapshot_date,
        digest,
        lag(digest) over snapshots as digest_before,
        lag(snapshot_date) over snapshots as date_before
    from state
    window snapshots as (partition by movie_id order by snapshot_date)
),

-- a film that has gone ends its version and begins none
turn as (
    select
        movie_id,
        snapshot_date as valid_from,
        lead(snapshot_date) over turns as valid_to,
        digest is not null as is_there,
        digest_before is null and date_before is not null as is_back
    from compared
    where digest is distinct from digest_before
    window turns as (partition by movie_id order by snapshot_date)
),

description as (
    select
        movie.movie_id,
        movie.snapshot_date,
        {% for column in descriptive_columns() %}
            movie.{{ column }},
        {% endfor %}
        movie.load_id
    from turn
    cross join lateral {{ rows_of_snapshot(ref('stg_tmdb__movie'), 'turn', 'valid_from') }} as movie
    where turn.is_there
    {% if is_incremental() %}

        union all

        select
            version.movie_id,
            version.valid_from as snapshot_date,
            {% for column in descriptive_columns() %}
                version.{{ column }},
            {% endfor %}
            version.load_id
        from kept_version as version
    {% endif %}
),

described as (
    select
        turn.valid_from,
        turn.valid_to,
        turn.is_back,
        movie.*,
        lag(turn.valid_from) over versions is null as is_first
        {%- for column in descriptive_columns() %},
            lag(movie.{{ column }}) over versions as {{ column }}_before
        {%- endfor %}
    from turn
    inner join description as movie
        on
            turn.movie_id = movie.movie_id
            and turn.valid_from = movie.snapshot_date
    where turn.is_there
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
