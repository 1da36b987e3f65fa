{{ config(
    unique_key=['movie_id', 'iso_639_1', 'iso_3166_1'],
    meta={'replaces': 'movie_id'}
) }}

with latest as (
    select *
    from {{ ref('int_movie_latest') }}
    where {{ is_new() }}
),

sent as (
    select * from {{ ref('stg_tmdb__movie_translation') }}
),

movie as (
    select * from {{ ref('dim_movie') }}
)

select
    latest.movie_id,
    sent.iso_639_1,
    sent.iso_3166_1,
    sent.title,
    sent.overview,
    sent.tagline,
    latest.load_id
from latest
inner join movie on latest.movie_id = movie.movie_id
{{ 'left' if is_incremental() else 'inner' }} join sent
    on
        latest.movie_id = sent.movie_id
        and latest.translations_hash = sent.translations_hash
