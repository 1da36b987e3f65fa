{{ config(
    unique_key=['movie_id', 'valid_from'],
    indexes=[{'columns': ['valid_from']}],
    meta={'replaces': 'movie_id'}
) }}

-- the lists of columns are written by loops, whose indentation the linter cannot follow
-- noqa: disable=LT02,LT05

{% set sides = {'day_before': ('<', 'desc'), 'day_after': ('>', 'asc')} %}

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

-- A snapshot that says what is known of its day, in the words of the days beside it, changes nothing,
-- whenever it came; the others' films are looked at again.
changed_movie as {{ read_once() }} (
    {% if is_incremental() and not is_rebuild() %}
        select distinct new_snapshot.movie_id
        from snapshot as new_snapshot
        left join version
            on
                new_snapshot.movie_id = version.movie_id
                and new_snapshot.content_hash = version.content_hash
        left join lateral (
            select history.*
            from {{ this }} as history
            where history.movie_id = new_snapshot.movie_id and history.valid_from <= new_snapshot.snapshot_date
            order by history.valid_from desc
            limit 1
        ) as known on new_snapshot.snapshot_date < known.valid_to or known.valid_to is null
        {% for side, (sign, direction) in sides.items() %}
        left join lateral (
            select beside.*
            from snapshot as beside
            where beside.movie_id = new_snapshot.movie_id and beside.snapshot_date {{ sign }} new_snapshot.snapshot_date
            order by beside.snapshot_date {{ direction }}
            limit 1
        ) as {{ side }} on true
        {% endfor %}
        where
            {{ is_new('new_snapshot.load_id') }}
            and (
                version.description_hash is distinct from
                case when known.movie_id is not null then {{ description_hash('known') }} end
                {% for side in sides %}
                or (
                    not new_snapshot.is_gone
                    and {{ side }}.movie_id is not null
                    and ({{ side }}.content_hash, {{ side }}.language)
                    is distinct from (new_snapshot.content_hash, new_snapshot.language)
                )
                {% endfor %}
            )
    {% else %}
        select movie_id from movie
    {% endif %}
),

-- Film by film, so that the few films that changed are looked up, however long the history is.
compared as (
    select day_of_film.*
    from changed_movie
    cross join lateral (
        select
            snapshot.movie_id,
            snapshot.snapshot_date,
            snapshot.content_hash,
            coalesce(snapshot.language, 'en-US') as language,
            snapshot.load_id,
            version.description_hash,
            lag(version.description_hash) over snapshots as hash_before,
            lag(snapshot.content_hash) over snapshots as content_before,
            lag(coalesce(snapshot.language, 'en-US')) over snapshots as language_before,
            last_value(snapshot.content_hash) over (
                snapshots rows between unbounded preceding and unbounded following
            ) as last_content
        from snapshot
        left join version
            on
                snapshot.movie_id = version.movie_id
                and snapshot.content_hash = version.content_hash
        where snapshot.movie_id = changed_movie.movie_id
        window snapshots as (partition by snapshot.movie_id order by snapshot.snapshot_date)
    ) as day_of_film
),

-- A film that has gone ends its version and begins none. Where the film was asked for in another language
-- than the day before, what TMDB translates differs and says nothing; only the rest is compared.
turn as (
    select
        compared.*,
        lead(compared.snapshot_date) over turns as valid_to,
        -- the version's texts are those of its last day, so that they are in the language asked for last
        lead(compared.content_before, 1, compared.last_content) over turns as shown_content,
        -- what came back is told apart from what was there before the film had gone
        {% for said in ['content', 'language'] %}
        case when compared.hash_before is null then lag(compared.{{ said }}_before) over turns else compared.{{ said }}_before end
            as told_from_{{ said }},
        {% endfor %}
        count(compared.description_hash) over turns = 1 as is_first
    from compared
    left join version on compared.movie_id = version.movie_id and compared.content_hash = version.content_hash
    left join version as version_before
        on
            compared.movie_id = version_before.movie_id
            and compared.content_before = version_before.content_hash
    where
        compared.description_hash is distinct from compared.hash_before
        and (
            compared.description_hash is null
            or compared.hash_before is null
            or compared.language = compared.language_before
            {% for column in descriptive_columns() if column not in translated_columns() %}
            or version.{{ column }} is distinct from version_before.{{ column }}
            {% endfor %}
        )
    window turns as (partition by compared.movie_id order by compared.snapshot_date)
)

select
    changed_movie.movie_id,
    turn.snapshot_date as valid_from,
    turn.valid_to,
    turn.valid_to is null as is_current,
    case
        when turn.is_first then 'first seen' when turn.hash_before is null then 'reappeared' else 'changed'
    end as change_kind,
    case
        when not turn.is_first
            then nullif(concat_ws(
                ', ',
                {% for column in descriptive_columns() %}
                    case
                        when version.{{ column }} is distinct from version_before.{{ column }}
                            {{ 'and turn.language = turn.told_from_language' if column in translated_columns() }}
                            then '{{ column }}'
                    end
                    {{- ',' if not loop.last }}
                {% endfor %}
            ), '')
    end as changed_columns,
    {% for column in descriptive_columns() %}
        shown.{{ column }},
    {% endfor %}
    turn.load_id
from changed_movie
{{ 'left' if is_incremental() else 'inner' }} join turn
    on
        changed_movie.movie_id = turn.movie_id
        and turn.description_hash is not null
left join version on turn.movie_id = version.movie_id and turn.content_hash = version.content_hash
left join version as version_before
    on
        turn.movie_id = version_before.movie_id
        and turn.told_from_content = version_before.content_hash
left join version as shown on turn.movie_id = shown.movie_id and turn.shown_content = shown.content_hash
