{{ config(
    unique_key=['movie_id', 'keyword_id'],
    indexes=[{'columns': ['keyword_id', 'movie_id']}],
    meta={'replaces': 'movie_id'}
) }}

with member as (
    select movie_keyword.*
    from {{ ref('stg_tmdb__movie_keyword') }} as movie_keyword
    inner join {{ ref('dim_keyword') }} as keyword on movie_keyword.keyword_id = keyword.keyword_id
)

select
    latest.movie_id,
    member.keyword_id,
    latest.load_id
{{ from_latest('member', 'keywords_hash', 'keywords_load_id') }}
