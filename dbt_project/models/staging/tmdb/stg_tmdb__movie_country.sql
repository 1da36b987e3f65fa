select
    response.resource_id as movie_id,
    response.snapshot_date,
    country.iso_3166_1,
    country.name,
    response.load_id
from {{ ref('base_tmdb__response') }} as response
cross join lateral (
    select
        {{ json_text("(element.value ->> 'iso_3166_1')") }} as iso_3166_1,
        max({{ json_text("(element.value ->> 'name')") }}) as name
    from {{ json_elements("(response.payload -> 'production_countries')") }} as element (value)
    group by 1
) as country
where
    response.resource = 'movie'
    and response.http_status = 200
    and country.iso_3166_1 is not null
