select
    collection_id,
    name,
    poster_path,
    backdrop_path,
    'film' as name_source,
    snapshot_date,
    movie_id as named_by,
    load_id
from {{ ref('stg_tmdb__movie_collection') }}
