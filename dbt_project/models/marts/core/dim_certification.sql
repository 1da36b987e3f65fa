{{ config(unique_key=['iso_3166_1', 'certification'], meta={'replaces': 'all'}) }}

with list as not materialized (
    select * from {{ ref('stg_tmdb__certification') }}
),

release as (
    select * from {{ ref('stg_tmdb__movie_release') }}
),

evidence as (
    select
        iso_3166_1,
        certification,
        meaning,
        certification_order,
        list_date,
        load_id
    from list

    union all

    select
        iso_3166_1,
        certification,
        null as meaning,
        null as certification_order,
        null as list_date,
        max(load_id) as load_id
    from release
    where certification is not null
    group by iso_3166_1, certification
)

select distinct on (iso_3166_1, certification)
    iso_3166_1,
    certification,
    meaning,
    certification_order,
    coalesce(list_date = (select max(newest.list_date) from list as newest), false) as is_listed,
    load_id
from evidence
order by
    iso_3166_1 asc, certification asc, list_date desc nulls last
