{{ config(
    unique_key=['movie_id', 'iso_3166_1', 'title'],
    meta={'replaces': 'movie_id'}
) }}

with latest as {{ read_once() }} (
    select *
    from {{ ref('int_movie_latest') }}
    where {{ is_new() }}
),

sent as (
    select * from {{ ref('stg_tmdb__movie_alternative_title') }}
),

movie as (
    select * from {{ ref('dim_movie') }}
),

member as (
    select sent.*
    from latest
    inner join movie on latest.movie_id = movie.movie_id
    inner join sent
        on
            latest.movie_id = sent.movie_id
            and latest.alternative_titles_hash = sent.alternative_titles_hash
)

select
    latest.movie_id,
    member.iso_3166_1,
    member.title,
    member.title_type,
    latest.load_id
from latest
{{ 'left' if is_incremental() else 'inner' }} join member on latest.movie_id = member.movie_id
