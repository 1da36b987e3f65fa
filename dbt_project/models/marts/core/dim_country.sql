{{ config(unique_key='iso_3166_1') }}

with {{ newest_naming(ref('int_country_naming'), 'iso_3166_1', ['name', 'native_name'], keep_known=true) }},

listed as (
    {{ newest_list(ref('stg_tmdb__country'), 'iso_3166_1') }}
),

region as (
    {{ country_regions() }}
)

select
    naming.iso_3166_1,
    naming.name,
    naming.native_name,
    region.continent,
    region.region,
    listed.iso_3166_1 is not null as is_listed,
    naming.name_source,
    naming.load_id
from naming
left join listed on naming.iso_3166_1 = listed.iso_3166_1
left join region on naming.iso_3166_1 = region.iso_3166_1
