select
    response.resource_id as movie_id,
    response.snapshot_date,
    {{ json_integer("(response.payload -> 'belongs_to_collection' ->> 'id')", 'bigint') }} as collection_id,
    {{ json_text("(response.payload -> 'belongs_to_collection' ->> 'name')") }} as name,
    {{ json_text("(response.payload -> 'belongs_to_collection' ->> 'poster_path')") }} as poster_path,
    {{ json_text("(response.payload -> 'belongs_to_collection' ->> 'backdrop_path')") }} as backdrop_path,
    response.load_id
from {{ ref('base_tmdb__response') }} as response
where
    response.resource = 'movie'
    and response.http_status = 200
    and {{ json_integer("(response.payload -> 'belongs_to_collection' ->> 'id')", 'bigint') }} is not null
