{{ config(
    unique_key=['movie_id', 'iso_3166_1'],
    indexes=[{'columns': ['iso_3166_1', 'movie_id']}],
    meta={'replaces': 'movie_id'}
) }}

with version as (
    select * from {{ ref('stg_tmdb__movie_version') }}
),

member as (
    select
        version.movie_id,
        version.content_hash,
        sent.iso_3166_1
    from version
    cross join lateral unnest(version.country_codes) as sent (iso_3166_1)
)

select
    latest.movie_id,
    member.iso_3166_1,
    latest.load_id
{{ from_latest('content_hash', dimension=ref('dim_country'), key='iso_3166_1') }}
