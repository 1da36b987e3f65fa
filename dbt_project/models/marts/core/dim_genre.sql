{{ config(unique_key='genre_id', meta={'replaces': 'all'}) }}

with list as not materialized (
    select * from {{ ref('stg_tmdb__genre') }}
),

version as (
    select * from {{ ref('int_movie_version') }}
),

evidence as {{ read_once() }} (
    select
        genre_id,
        name,
        'list' as name_source,
        true as is_current,
        list_date as named_on,
        0::bigint as movie_id,
        load_id
    from list

    union all

    select
        genre.genre_id,
        genre.name,
        'film' as name_source,
        version.is_current,
        version.first_seen_on as named_on,
        version.movie_id,
        version.load_id
    from version
    cross join lateral unnest(version.genre_ids, version.genre_names) as genre (genre_id, name)
)

select distinct on (evidence.genre_id)
    evidence.genre_id,
    evidence.name,
    {{ is_listed('evidence', 'genre_id') }} as is_listed,
    evidence.name_source,
    evidence.load_id
from evidence
where {{ may_be_best('evidence', 'genre_id') }}
order by
    evidence.genre_id asc,
    {{ best_evidence('evidence') }}
