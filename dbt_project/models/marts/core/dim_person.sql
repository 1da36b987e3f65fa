{{ config(unique_key='person_id') }}

with {{ newest_naming(
    ref('int_person_naming'),
    'person_id',
    ['name', 'original_name', 'gender', 'known_for_department', 'profile_path'],
    has_name_source=false
) }}

select
    person_id,
    name,
    original_name,
    gender,
    known_for_department,
    profile_path,
    load_id
from naming
