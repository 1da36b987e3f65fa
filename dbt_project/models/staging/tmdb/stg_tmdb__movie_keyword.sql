select
    response.resource_id as movie_id,
    response.snapshot_date,
    keyword.keyword_id,
    keyword.name,
    response.load_id
from {{ ref('base_tmdb__response') }} as response
cross join lateral (
    select
        {{ json_integer("(element.value ->> 'id')", 'bigint') }} as keyword_id,
        max({{ json_text("(element.value ->> 'name')") }}) as name
    from {{ json_elements("(response.payload -> 'keywords' -> 'keywords')") }} as element (value)
    group by 1
) as keyword
where
    response.resource = 'movie'
    and response.payload ? 'credits'
    and response.http_status = 200
    and keyword.keyword_id is not null
