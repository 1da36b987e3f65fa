{{ config(
    unique_key=['movie_id', 'iso_3166_1', 'provider_id', 'offer_type'],
    indexes=[{'columns': ['provider_id', 'iso_3166_1']}],
    meta={'replaces': 'movie_id'}
) }}

with member as (
    select * from {{ ref('stg_tmdb__movie_provider') }}
)

select
    latest.movie_id,
    member.iso_3166_1,
    member.provider_id,
    member.offer_type,
    member.display_priority,
    latest.watch_providers_on as as_of_date,
    latest.load_id
{{ from_latest('watch_providers_hash', dimension=ref('dim_provider'), key='provider_id') }}
