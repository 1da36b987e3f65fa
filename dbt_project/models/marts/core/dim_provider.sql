{{ config(unique_key='provider_id', meta={'replaces': 'all'}) }}

with list as not materialized (
    select * from {{ ref('stg_tmdb__provider') }}
),

provider as (
    select * from {{ ref('stg_tmdb__movie_provider') }}
),

seen as (
    select * from {{ ref('stg_tmdb__block_version') }}
),

latest as (
    select * from {{ ref('int_movie_latest') }}
),

-- a provider stands in each country where it has the film: of what one film says of it, the last in
-- order counts
offered as (
    select
        movie_id,
        watch_providers_hash,
        provider_id,
        max(name) as name,
        max(logo_path) as logo_path,
        max(load_id) as load_id
    from provider
    group by movie_id, watch_providers_hash, provider_id
),

evidence as {{ read_once() }} (
    select
        provider_id,
        name,
        logo_path,
        'list' as name_source,
        true as is_current,
        list_date as named_on,
        0::bigint as movie_id,
        load_id
    from list

    union all

    select
        offered.provider_id,
        offered.name,
        offered.logo_path,
        'film' as name_source,
        latest.movie_id is not null as is_current,
        seen.first_seen_on as named_on,
        offered.movie_id,
        offered.load_id
    from offered
    inner join seen
        on
            offered.movie_id = seen.movie_id
            and offered.watch_providers_hash = seen.version_hash
    left join latest
        on
            offered.movie_id = latest.movie_id
            and offered.watch_providers_hash = latest.watch_providers_hash
)

select distinct on (evidence.provider_id)
    evidence.provider_id,
    evidence.name,
    evidence.logo_path,
    {{ is_listed('evidence', 'provider_id') }} as is_listed,
    evidence.name_source,
    evidence.load_id
from evidence
where {{ may_be_best('evidence', 'provider_id') }}
order by
    evidence.provider_id asc,
    {{ best_evidence('evidence') }}
