{{ config(
    unique_key=['movie_id', 'iso_639_1', 'iso_3166_1'],
    meta={'replaces': 'movie_id'}
) }}

with latest as {{ read_once() }} (
    select *
    from {{ ref('int_movie_latest') }}
    where {{ is_new() }}
),

sent as (
    select * from {{ ref('stg_tmdb__movie_translation') }}
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
            and latest.translations_hash = sent.translations_hash
)

select
    latest.movie_id,
    member.iso_639_1,
    member.iso_3166_1,
    member.title,
    member.overview,
    member.tagline,
    latest.load_id
from latest
{{ 'left' if is_incremental() else 'inner' }} join member on latest.movie_id = member.movie_id
