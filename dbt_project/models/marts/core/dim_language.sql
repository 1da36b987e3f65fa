{{ config(unique_key='iso_639_1') }}

with {{ newest_naming(ref('int_language_naming'), 'iso_639_1', ['name', 'native_name'], keep_known=true) }},

listed as (
    {{ newest_list(ref('stg_tmdb__language'), 'iso_639_1') }}
)

select
    naming.iso_639_1,
    naming.name,
    naming.native_name,
    listed.iso_639_1 is not null as is_listed,
    naming.name_source,
    naming.load_id
from naming
left join listed on naming.iso_639_1 = listed.iso_639_1
