{{ config(
    unique_key=['movie_id', 'company_id'],
    indexes=[{'columns': ['company_id', 'movie_id']}],
    meta={'replaces': 'movie_id'}
) }}

with member as (
    select
        version.movie_id,
        version.content_hash,
        company.company_id
    from {{ ref('stg_tmdb__movie_version') }} as version
    cross join lateral unnest(version.company_ids) as sent (company_id)
    inner join {{ ref('dim_company') }} as company on sent.company_id = company.company_id
)

select
    latest.movie_id,
    member.company_id,
    latest.load_id
{{ from_latest('member', 'content_hash') }}
