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
        {% for side, sign, direction in [('day_before', '<', 'desc'), ('day_after', '>', 'asc')] %}
        left join lateral (
            select
                beside.snapshot_date,
                beside.content_hash,
                beside.language
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
                or (
                    not new_snapshot.is_gone
                    and (
                        (day_before.content_hash, day_before.language)
                        is distinct from (new_snapshot.content_hash, new_snapshot.language)
                        or (
                            day_after.snapshot_date is not null
                            and (day_after.content_hash, day_after.language)
                            is distinct from (new_snapshot.content_hash, new_snapshot.language)
                        )
                    )
                )
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
            lag(snapshot.snapshot_date) over snapshots as date_before,
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
        compared.hash_before is null and compared.date_before is not null as is_back,
        -- the version's texts are those of its last day, so that they are in the language asked for last
        lead(compared.content_before, 1, compared.last_content) over turns as shown_content,
        lag(compared.content_before) over turns as content_before_gap,
        lag(compared.language_before) over turns as language_before_gap
    from compared
    left join version
        on
            compared.movie_id = version.movie_id
            and compared.content_hash = version.content_hash
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
),

described as (
    select
        turn.movie_id,
        turn.snapshot_date as valid_from,
        turn.valid_to,
        turn.is_back,
        turn.load_id,
        lag(turn.snapshot_date) over versions is null as is_first,
        turn.language = case when turn.is_back then turn.language_before_gap else turn.language_before end as is_same_language
        {%- for column in descriptive_columns() %},
            shown.{{ column }},
            (version.{{ column }} is distinct from version_before.{{ column }}) as {{ column }}_differs
        {%- endfor %}
    from turn
    inner join version
        on
            turn.movie_id = version.movie_id
            and turn.content_hash = version.content_hash
    inner join version as shown
        on
            turn.movie_id = shown.movie_id
            and turn.shown_content = shown.content_hash
    left join version as version_before
        on
            turn.movie_id = version_before.movie_id
            and case when turn.is_back then turn.content_before_gap else turn.content_before end = version_before.content_hash
    window versions as (partition by turn.movie_id order by turn.snapshot_date)
)

select
    {{ 'changed_movie' if is_incremental() else 'described' }}.movie_id,
    described.valid_from,
    described.valid_to,
    described.valid_to is null as is_current,
    case when described.is_first then 'first seen' when described.is_back then 'reappeared' else 'changed' end as change_kind,
    case
        when not described.is_first
            then nullif(concat_ws(
                ', ',
                {% for column in descriptive_columns() %}
                    case when described.{{ column }}_differs {{ 'and described.is_same_language' if column in translated_columns() }} then '{{ column }}' end
                    {{- ',' if not loop.last }}
                {% endfor %}
            ), '')
    end as changed_columns,
    {% for column in descriptive_columns() %}
        described.{{ column }},
    {% endfor %}
    described.load_id
from {{ 'changed_movie left join described on changed_movie.movie_id = described.movie_id' if is_incremental() else 'described' }}
