{{ config(
    unique_key=['movie_id', 'iso_3166_1', 'title'],
    meta={'replaces': 'movie_id'}
) }}

with member as (
    select * from {{ ref('stg_tmdb__movie_alternative_title') }}
)

select
    latest.movie_id,
    member.iso_3166_1,
    member.title,
    member.title_type,
    latest.load_id
{{ from_latest('alternative_titles_hash') }}
