{{ config(
    unique_key=['movie_id', 'iso_3166_1', 'provider_id', 'offer_type'],
    indexes=[{'columns': ['provider_id', 'iso_3166_1']}],
    meta={'replaces': 'movie_id'}
) }}

with sent as (
    select * from {{ ref('stg_tmdb__movie_provider') }}
),

provider as (
    select * from {{ ref('dim_provider') }}
),

member as (
    select sent.*
    from sent
    inner join provider on sent.provider_id = provider.provider_id
)

select
    latest.movie_id,
    member.iso_3166_1,
    member.provider_id,
    member.offer_type,
    member.display_priority,
    latest.watch_providers_on as as_of_date,
    latest.load_id
{{ from_latest('watch_providers_hash') }}
