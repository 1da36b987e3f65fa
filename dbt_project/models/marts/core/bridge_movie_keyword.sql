{{ config(
    unique_key=['movie_id', 'keyword_id'],
    indexes=[{'columns': ['keyword_id', 'movie_id']}],
    meta={'replaces': 'movie_id'}
) }}

with movie_keyword as (
    select * from {{ ref('stg_tmdb__movie_keyword') }}
),

keyword as (
    select * from {{ ref('dim_keyword') }}
),

member as (
    select movie_keyword.*
    from movie_keyword
    inner join keyword on movie_keyword.keyword_id = keyword.keyword_id
)

select
    latest.movie_id,
    member.keyword_id,
    latest.load_id
{{ from_latest('keywords_hash', 'keywords_load_id') }}
