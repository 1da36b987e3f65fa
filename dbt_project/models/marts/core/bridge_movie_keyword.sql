{{ config(
    unique_key=['movie_id', 'keyword_id'],
    indexes=[{'columns': ['keyword_id', 'movie_id']}],
    meta={'replaces': 'movie_id'}
) }}

with latest as (
    select *
    from {{ ref('int_movie_latest') }}
    where {{ is_new('keywords_load_id') }}
),

movie_keyword as (
    select * from {{ ref('stg_tmdb__movie_keyword') }}
),

movie as (
    select * from {{ ref('dim_movie') }}
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
from latest
inner join movie on latest.movie_id = movie.movie_id
{{ 'left' if is_incremental() else 'inner' }} join member
    on
        latest.movie_id = member.movie_id
        and latest.keywords_hash = member.keywords_hash
