{{ config(unique_key='iso_3166_1', meta={'replaces': 'all'}) }}

with list as not materialized (
    select * from {{ ref('stg_tmdb__country') }}
),

version as (
    select * from {{ ref('int_movie_version') }}
),

region as (
    {{ country_regions() }}
),

evidence as {{ read_once() }} (
    select
        iso_3166_1,
        english_name as name,
        native_name,
        'list' as name_source,
        true as is_current,
        list_date as named_on,
        0::bigint as movie_id,
        load_id
    from list

    union all

    select
        country.iso_3166_1,
        country.name,
        null as native_name,
        'film' as name_source,
        version.is_current,
        version.first_seen_on as named_on,
        version.movie_id,
        version.load_id
    from version
    cross join lateral unnest(version.country_codes, version.country_names) as country (iso_3166_1, name)
),

naming as (
    select distinct on (evidence.iso_3166_1) evidence.*
    from evidence
    where {{ may_be_best('evidence', 'iso_3166_1') }}
    order by
        evidence.iso_3166_1 asc,
        {{ best_evidence('evidence') }}
)

select
    naming.iso_3166_1,
    coalesce(naming.name, naming.iso_3166_1) as name,
    naming.native_name,
    region.continent,
    region.region,
    {{ is_listed('naming', 'iso_3166_1') }} as is_listed,
    naming.name_source,
    naming.load_id
from naming
left join region on naming.iso_3166_1 = region.iso_3166_1
