select
    genre_id,
    name,
    'list' as name_source,
    snapshot_date,
    0 as named_by,
    load_id
from {{ ref('stg_tmdb__genre') }}

union all

select
    genre_id,
    name,
    'film' as name_source,
    snapshot_date,
    movie_id as named_by,
    load_id
from {{ ref('stg_tmdb__movie_genre') }}
