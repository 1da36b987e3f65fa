select
    iso_639_1,
    coalesce(english_name, native_name, iso_639_1) as name,
    native_name,
    'list' as name_source,
    snapshot_date,
    0 as named_by,
    load_id
from {{ ref('stg_tmdb__language') }}

union all

select
    iso_639_1,
    coalesce(english_name, native_name, iso_639_1) as name,
    native_name,
    'film' as name_source,
    snapshot_date,
    movie_id as named_by,
    load_id
from {{ ref('stg_tmdb__movie_language') }}

union all

-- a film's original language may be one that no film speaks and TMDB's list does not have
select
    original_language as iso_639_1,
    original_language as name,
    null as native_name,
    'code' as name_source,
    snapshot_date,
    movie_id as named_by,
    load_id
from {{ ref('stg_tmdb__movie') }}
where original_language is not null
