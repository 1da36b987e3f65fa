{{ config(
    unique_key=['movie_id', 'keyword_id'],
    indexes=[{'columns': ['keyword_id', 'movie_id']}],
    meta={'replaces': 'movie_id'}
) }}

with latest as {{ read_once() }} (
    select *
    from {{ ref('int_movie_latest') }}
    where {{ is_new() }}
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
    from latest
    inner join movie on latest.movie_id = movie.movie_id
    inner join movie_keyword
        on
            latest.movie_id = movie_keyword.movie_id
            and latest.keywords_hash = movie_keyword.keywords_hash
    inner join keyword on movie_keyword.keyword_id = keyword.keyword_id
)

select
    latest.movie_id,
    member.keyword_id,
    latest.load_id
from latest
{{ 'left' if is_incremental() else 'inner' }} join member on latest.movie_id = member.movie_id
