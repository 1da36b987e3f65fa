select
    iso_3166_1,
    coalesce(english_name, iso_3166_1) as name,
    native_name,
    'list' as name_source,
    snapshot_date,
    0 as named_by,
    load_id
from {{ ref('stg_tmdb__country') }}

union all

select
    iso_3166_1,
    coalesce(name, iso_3166_1) as name,
    null as native_name,
    'film' as name_source,
    snapshot_date,
    movie_id as named_by,
    load_id
from {{ ref('stg_tmdb__movie_country') }}
