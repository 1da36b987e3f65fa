{{ config(
    unique_key=['movie_id', 'source'],
    indexes=[{'columns': ['source', 'external_id']}],
    meta={'replaces': 'movie_id'}
) }}

with member as (
    select * from {{ ref('stg_tmdb__movie_external_id') }}
)

select
    latest.movie_id,
    member.source,
    member.external_id,
    latest.load_id
{{ from_latest('external_ids_hash') }}
