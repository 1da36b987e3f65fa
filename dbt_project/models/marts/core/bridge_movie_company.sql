{{ config(
    unique_key=['movie_id', 'company_id'],
    indexes=[{'columns': ['company_id', 'movie_id']}],
    meta={'replaces': 'movie_id'}
) }}

with version as (
    select * from {{ ref('stg_tmdb__movie_version') }}
),

member as (
    select
        version.movie_id,
        version.content_hash,
        sent.company_id
    from version
    cross join lateral unnest(version.company_ids) as sent (company_id)
)

select
    latest.movie_id,
    member.company_id,
    latest.load_id
{{ from_latest('content_hash', dimension=ref('dim_company'), key='company_id') }}
