select
    company_id,
    name,
    logo_path,
    origin_country,
    'film' as name_source,
    snapshot_date,
    movie_id as named_by,
    load_id
from {{ ref('stg_tmdb__movie_company') }}
