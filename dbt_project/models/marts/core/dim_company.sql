{{ config(unique_key='company_id') }}

with {{ newest_naming(
    ref('int_company_naming'), 'company_id', ['name', 'logo_path', 'origin_country'], has_name_source=false
) }}

select
    company_id,
    name,
    logo_path,
    origin_country,
    load_id
from naming
