-- `name` is the language's own name for itself; `english_name` came in 2020 and is NULL in older payloads
select
    response.resource_id as movie_id,
    response.snapshot_date,
    language.iso_639_1,
    language.english_name,
    language.native_name,
    response.load_id
from {{ ref('base_tmdb__response') }} as response
cross join lateral (
    select
        {{ json_text("(element.value ->> 'iso_639_1')") }} as iso_639_1,
        max({{ json_text("(element.value ->> 'english_name')") }}) as english_name,
        max({{ json_text("(element.value ->> 'name')") }}) as native_name
    from {{ json_elements("(response.payload -> 'spoken_languages')") }} as element (value)
    group by 1
) as language
where
    response.resource = 'movie'
    and response.http_status = 200
    and language.iso_639_1 is not null
