-- TMDB names a genre twice in a few films: one row a genre
select
    response.resource_id as movie_id,
    response.snapshot_date,
    genre.genre_id,
    genre.name,
    response.load_id
from {{ ref('base_tmdb__response') }} as response
cross join lateral (
    select
        {{ json_integer("(element.value ->> 'id')", 'bigint') }} as genre_id,
        max({{ json_text("(element.value ->> 'name')") }}) as name
    from {{ json_elements("(response.payload -> 'genres')") }} as element (value)
    group by 1
) as genre
where
    response.resource = 'movie'
    and response.http_status = 200
    and genre.genre_id is not null
