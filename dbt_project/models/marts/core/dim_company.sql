{{ config(unique_key='company_id', meta={'replaces': 'all'}) }}

with version as (
    select * from {{ ref('int_movie_version') }}
),

evidence as {{ read_once() }} (
    select
        company.company_id,
        company.name,
        company.logo_path,
        company.origin_country,
        'film' as name_source,
        version.is_current,
        version.first_seen_on as named_on,
        version.movie_id,
        version.load_id
    from version
    cross join lateral unnest(
        version.company_ids,
        version.company_names,
        version.company_logo_paths,
        version.company_origin_countries
    ) as company (company_id, name, logo_path, origin_country)
)

select distinct on (evidence.company_id)
    evidence.company_id,
    evidence.name,
    evidence.logo_path,
    evidence.origin_country,
    evidence.load_id
from evidence
where {{ may_be_best('evidence', 'company_id') }}
order by
    evidence.company_id asc,
    {{ best_evidence('evidence') }}
