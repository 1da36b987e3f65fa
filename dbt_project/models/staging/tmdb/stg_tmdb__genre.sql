select
    response.snapshot_date,
    {{ json_integer("(element.value ->> 'id')", 'bigint') }} as genre_id,
    {{ json_text("(element.value ->> 'name')") }} as name,
    response.load_id
from {{ ref('base_tmdb__response') }} as response
cross join lateral {{ json_elements("(response.payload -> 'genres')") }} as element (value)
where
    response.resource = 'genre_list'
    and response.http_status = 200
    and element.value ->> 'id' is not null
