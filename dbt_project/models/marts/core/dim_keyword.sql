{{ config(unique_key='keyword_id', meta={'delete_when': 'new_row.load_id is null'}) }}

with keyword as not materialized (
    select * from {{ ref('stg_tmdb__movie_keyword') }}
),

seen as not materialized (
    select * from {{ ref('stg_tmdb__block_version') }}
),

latest as not materialized (
    select * from {{ ref('int_movie_latest') }}
),

{{ members_to_name('keyword', 'keyword_id', 'keywords') }},

evidence as (
    select
        keyword.keyword_id,
        keyword.name,
        'film' as name_source,
        latest.movie_id is not null as is_current,
        seen.first_seen_on as named_on,
        keyword.movie_id,
        keyword.load_id
    from keyword
    inner join seen
        on
            keyword.movie_id = seen.movie_id
            and keyword.keywords_hash = seen.version_hash
    left join latest
        on
            keyword.movie_id = latest.movie_id
            and keyword.keywords_hash = latest.keywords_hash
    where {{ is_to_name('keyword', 'keyword_id') }}
)

(
    select distinct on (evidence.keyword_id)
        evidence.keyword_id,
        evidence.name,
        evidence.load_id
    from evidence
    order by
        evidence.keyword_id asc,
        {{ best_evidence('evidence') }}
)
{{ named_by_nothing('keyword_id', ['name']) }}
