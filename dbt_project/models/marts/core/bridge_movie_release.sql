{{ config(
    unique_key=['movie_id', 'iso_3166_1', 'release_number'],
    indexes=[{'columns': ['release_date', 'iso_3166_1']}],
    meta={'replaces': 'movie_id'}
) }}

with member as (
    select * from {{ ref('stg_tmdb__movie_release') }}
)

select
    latest.movie_id,
    member.iso_3166_1,
    member.release_number,
    member.release_type_id,
    member.release_type,
    member.release_date,
    member.certification,
    member.note,
    member.iso_639_1,
    latest.load_id
{{ from_latest('release_dates_hash') }}
