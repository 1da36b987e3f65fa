{{ config(
    materialized='incremental',
    incremental_strategy='upsert',
    on_schema_change='append_new_columns',
    full_refresh=false,
    persist_docs={'relation': false, 'columns': false},
    contract={'enforced': true},
    unique_key='movie_id',
    indexes=[{'columns': ['load_id']}]
) }}

{% set anew = is_rebuild() or not is_incremental() %}

-- the columns of each block are written by a loop, in which the linter sees neither indentation nor
-- every reference
-- noqa: disable=LT02,LT05,ST11

-- Which content of each film is today's: that of its newest snapshot that is not gone and, of each
-- block, that of the newest snapshot that has it. load_id says when that changed, so that what is built
-- on this looks at the few films of which something did.
with snapshot as not materialized (
    select * from {{ ref('stg_tmdb__movie_snapshot') }}
),

new_snapshot as {{ read_once('materialized') }} (
    select *
    from snapshot
    where {{ is_new() }}
),

-- is_reread: a new snapshot has a block, or takes back the one that had it
changed_movie as {{ read_once() }} (
    select
        new_snapshot.movie_id,
        max(new_snapshot.load_id) as load_id,
        {% if not anew %}
            {% for block in appended_blocks() %}
                known.{{ block }}_hash as known_{{ block }}_hash,
                known.{{ block }}_on as known_{{ block }}_on,
            {% endfor %}
        {% endif %}
        bool_or(
            coalesce(
                new_snapshot.{{ appended_blocks() | join('_hash, new_snapshot.') }}_hash
            ) is not null
            {% if not anew %}
                or new_snapshot.snapshot_date in (
                    known.{{ appended_blocks() | join('_on, known.') }}_on
                )
            {% endif %}
        ) as is_reread
    from new_snapshot
    {% if not anew %}
        left join {{ this }} as known on new_snapshot.movie_id = known.movie_id
    {% endif %}
    group by
        new_snapshot.movie_id
        {% if not anew %}
            {% for block in appended_blocks() %}, known.{{ block }}_hash, known.{{ block }}_on{% endfor %}
        {% endif %}
),

newest as {{ read_once() }} (
    {% if anew %}
        select distinct on (movie_id)
            movie_id,
            snapshot_date,
            content_hash
        from new_snapshot
        where not is_gone
        order by movie_id asc, snapshot_date desc
    {% else %}
        select
            changed_movie.movie_id,
            last_snapshot.snapshot_date,
            last_snapshot.content_hash
        from changed_movie
        cross join lateral (
            select
                snapshot.snapshot_date,
                snapshot.content_hash
            from snapshot
            where snapshot.movie_id = changed_movie.movie_id and not snapshot.is_gone
            order by snapshot.snapshot_date desc
            limit 1
        ) as last_snapshot
    {% endif %}
),

vanishing as (
    select
        gone.movie_id,
        min(gone.snapshot_date) as vanished_on
    from snapshot as gone
    inner join newest on gone.movie_id = newest.movie_id and gone.snapshot_date > newest.snapshot_date
    where gone.is_gone
    group by gone.movie_id
),

block as (
    select
        snapshot.movie_id,
    {% for block in appended_blocks() %}
        (
            array_agg(snapshot.{{ block }}_hash order by snapshot.snapshot_date desc) filter (
                where snapshot.{{ block }}_hash is not null
            )
        )[1]
            as {{ block }}_hash,
        max(snapshot.snapshot_date) filter (where snapshot.{{ block }}_hash is not null) as {{ block }}_on
        {{- ',' if not loop.last }}
    {% endfor %}
    from snapshot
    inner join changed_movie on snapshot.movie_id = changed_movie.movie_id
    where
        changed_movie.is_reread
        and coalesce(
            snapshot.{{ appended_blocks() | join('_hash, snapshot.') }}_hash
        ) is not null
    group by snapshot.movie_id
)

select
    changed_movie.movie_id,
    newest.content_hash,
    vanishing.vanished_on,
    {% for block in appended_blocks() %}
        {% if not anew %}
            case
                when changed_movie.is_reread then block.{{ block }}_hash else changed_movie.known_{{ block }}_hash
            end
                as {{ block }}_hash,
            case when changed_movie.is_reread then block.{{ block }}_on else changed_movie.known_{{ block }}_on end
                as {{ block }}_on,
        {% else %}
            block.{{ block }}_hash,
            block.{{ block }}_on,
        {% endif %}
    {% endfor %}
    changed_movie.load_id
from changed_movie
left join newest on changed_movie.movie_id = newest.movie_id
left join vanishing on changed_movie.movie_id = vanishing.movie_id
left join block on changed_movie.movie_id = block.movie_id
