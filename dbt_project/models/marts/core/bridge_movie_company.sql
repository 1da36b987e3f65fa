{{ config(
    unique_key=['movie_id', 'company_id'],
    indexes=[{'columns': ['company_id', 'movie_id']}],
    meta={'replaces': 'movie_id'}
) }}

with version as (
    select * from {{ ref('stg_tmdb__movie_version') }}
),

company as (
    select * from {{ ref('dim_company') }}
),

member as (
    select
        version.movie_id,
        version.content_hash,
        company.company_id
    from version
    cross join lateral unnest(version.company_ids) as sent (company_id)
    inner join company on sent.company_id = company.company_id
)

select
    latest.movie_id,
    member.company_id,
    latest.load_id
{{ from_latest('content_hash') }}
