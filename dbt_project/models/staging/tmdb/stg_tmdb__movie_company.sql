select
    response.resource_id as movie_id,
    response.snapshot_date,
    company.company_id,
    company.name,
    company.logo_path,
    company.origin_country,
    response.load_id
from {{ ref('base_tmdb__response') }} as response
cross join lateral (
    select
        {{ json_integer("(element.value ->> 'id')", 'bigint') }} as company_id,
        max({{ json_text("(element.value ->> 'name')") }}) as name,
        max({{ json_text("(element.value ->> 'logo_path')") }}) as logo_path,
        max({{ json_text("(element.value ->> 'origin_country')") }}) as origin_country
    from {{ json_elements("(response.payload -> 'production_companies')") }} as element (value)
    group by 1
) as company
where
    response.resource = 'movie'
    and response.http_status = 200
    and company.company_id is not null
