{{ config(unique_key='collection_id') }}

with {{ newest_naming(
    ref('int_collection_naming'), 'collection_id', ['name', 'poster_path', 'backdrop_path'], has_name_source=false
) }}

select
    collection_id,
    name,
    poster_path,
    backdrop_path,
    load_id
from naming
