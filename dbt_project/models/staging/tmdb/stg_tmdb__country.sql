select
    response.snapshot_date,
    {{ json_text("(element.value ->> 'iso_3166_1')") }} as iso_3166_1,
    {{ json_text("(element.value ->> 'english_name')") }} as english_name,
    {{ json_text("(element.value ->> 'native_name')") }} as native_name,
    response.load_id
from {{ ref('base_tmdb__response') }} as response
cross join lateral {{ json_elements('response.payload') }} as element (value)
where
    response.resource = 'country_list'
    and response.http_status = 200
    and coalesce(element.value ->> 'iso_3166_1', '') <> ''
