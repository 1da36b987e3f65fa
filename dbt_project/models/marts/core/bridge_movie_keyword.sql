{{ config(
    unique_key=['movie_id', 'keyword_id'],
    indexes=[{'columns': ['keyword_id', 'movie_id']}],
    meta={'replaces': 'movie_id'}
) }}

with member as (
    select * from {{ ref('stg_tmdb__movie_keyword') }}
)

select
    latest.movie_id,
    member.keyword_id,
    latest.load_id
{{ from_latest('keywords_hash', 'keywords_load_id', dimension=ref('dim_keyword'), key='keyword_id') }}
