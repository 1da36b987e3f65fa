{{ config(unique_key='genre_id') }}

with {{ newest_naming(ref('int_genre_naming'), 'genre_id', ['name'], keep_known=true) }},

listed as (
    {{ newest_list(ref('stg_tmdb__genre'), 'genre_id') }}
)

select
    naming.genre_id,
    naming.name,
    listed.genre_id is not null as is_listed,
    naming.name_source,
    naming.load_id
from naming
left join listed on naming.genre_id = listed.genre_id
