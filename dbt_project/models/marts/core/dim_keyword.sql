{{ config(unique_key='keyword_id') }}

with {{ newest_naming(ref('int_keyword_naming'), 'keyword_id', ['name'], has_name_source=false) }}

select
    keyword_id,
    name,
    load_id
from naming
