{{ config(
    unique_key=['movie_id', 'iso_639_1', 'iso_3166_1'],
    meta={'replaces': 'movie_id'}
) }}

with member as (
    select * from {{ ref('stg_tmdb__movie_translation') }}
)

select
    latest.movie_id,
    member.iso_639_1,
    member.iso_3166_1,
    member.title,
    member.overview,
    member.tagline,
    latest.load_id
{{ from_latest('translations_hash') }}
