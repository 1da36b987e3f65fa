{{ config(
    unique_key=['movie_id', 'company_id'],
    indexes=[{'columns': ['company_id', 'movie_id']}],
    meta={'replaces': 'movie_id'}
) }}

with latest as (
    select *
    from {{ ref('int_movie_latest') }}
    where {{ is_new() }}
),

version as (
    select * from {{ ref('stg_tmdb__movie_version') }}
),

movie as (
    select * from {{ ref('dim_movie') }}
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
from latest
inner join movie on latest.movie_id = movie.movie_id
{{ 'left' if is_incremental() else 'inner' }} join member
    on
        latest.movie_id = member.movie_id
        and latest.content_hash = member.content_hash
