{{ config(
    materialized='incremental',
    contract={'enforced': true},
    unique_key='movie_id',
    meta={'loads': {
        'load_id': [
            'content_hash', 'vanished_on', 'credits_hash', 'keywords_hash', 'release_dates_hash', 'watch_providers_hash',
            'watch_providers_on', 'translations_hash', 'external_ids_hash', 'alternative_titles_hash', 'videos_hash', 'videos_on'
        ],
        'credits_load_id': ['credits_hash'],
        'keywords_load_id': ['keywords_hash']
    }},
    indexes=[{'columns': ['load_id']}],
    post_hook='{{ analyze_loads() }}'
) }}

{% set anew = is_rebuild() or not is_incremental() %}

-- the columns of each block are written by a loop, in which the linter sees neither indentation nor
-- every reference
-- noqa: disable=LT02,LT05,ST11

-- Which content of each film is today's: that of its newest snapshot that is not gone and, of each
-- block, that of the newest snapshot that has it. load_id says when that changed, so that what is built
-- on this looks at the few films of which something did; the credits and keywords, which most that is
-- built reads alone, have one of their own.
with snapshot as not materialized (
    select * from {{ ref('stg_tmdb__movie_snapshot') }}
),

new_snapshot as {{ read_once('materialized') }} (
    select *
    from snapshot
    where {{ is_new() }}
),

changed_movie as {{ read_once() }} (
    select
        movie_id,
        max(load_id) as load_id
    from new_snapshot
    group by movie_id
),

newest as (
    select
        changed_movie.movie_id,
        last_snapshot.content_hash,
        vanishing.snapshot_date as vanished_on
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
    left join lateral (
        select snapshot.snapshot_date
        from snapshot
        where
            snapshot.movie_id = changed_movie.movie_id
            and snapshot.snapshot_date > last_snapshot.snapshot_date
            and snapshot.is_gone
        order by snapshot.snapshot_date asc
        limit 1
    ) as vanishing on true
),

{% if not anew %}
    known as not materialized (
        select * from {{ this }}
    ),

    -- where the day that showed a block last has landed anew, an older day may be the last that shows it
    doubtful as {{ read_once() }} (
        select distinct known.movie_id
        from known
        inner join new_snapshot
            on
                known.movie_id = new_snapshot.movie_id
                and new_snapshot.snapshot_date in (known.{{ appended_blocks() | join('_on, known.') }}_on)
    ),
{% endif %}

shown as (
    select * from new_snapshot
    {% if not anew %}
        union all
        select snapshot.*
        from snapshot
        inner join doubtful on snapshot.movie_id = doubtful.movie_id
    {% endif %}
),

block as (
    select
        movie_id,
    {% for block in appended_blocks() %}
        (array_agg({{ block }}_hash order by snapshot_date desc) filter (where {{ block }}_hash is not null))[1]
            as {{ block }}_hash,
        max(snapshot_date) filter (where {{ block }}_hash is not null) as {{ block }}_on
        {{- ',' if not loop.last }}
    {% endfor %}
    from shown
    where coalesce({{ appended_blocks() | join('_hash, ') }}_hash) is not null
    group by movie_id
)

select
    changed_movie.movie_id,
    newest.content_hash,
    newest.vanished_on,
    {% for block in appended_blocks() %}
        {% for column in [block ~ '_hash', block ~ '_on'] %}
            {% if anew %}
                block.{{ column }},
            {% else %}
                case
                    when
                        doubtful.movie_id is null and known.{{ block }}_on > coalesce(block.{{ block }}_on, '-infinity')
                        then known.{{ column }}
                    else block.{{ column }}
                end
                    as {{ column }},
            {% endif %}
        {% endfor %}
    {% endfor %}
    changed_movie.load_id as credits_load_id,
    changed_movie.load_id as keywords_load_id,
    changed_movie.load_id
from changed_movie
left join newest on changed_movie.movie_id = newest.movie_id
left join block on changed_movie.movie_id = block.movie_id
{% if not anew %}
    left join known on changed_movie.movie_id = known.movie_id
    left join doubtful on changed_movie.movie_id = doubtful.movie_id
{% endif %}
