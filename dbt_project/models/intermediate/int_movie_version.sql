-- What the versions of films that some day shows say of genres, companies and so on, with the first of these
-- days, and whether each is its film's content of today.
with version as (
    select * from {{ ref('stg_tmdb__movie_version') }}
),

seen as (
    select * from {{ ref('stg_tmdb__block_version') }}
),

latest as (
    select * from {{ ref('int_movie_latest') }}
)

select
    version.movie_id,
    version.content_hash,
    version.genre_ids,
    version.genre_names,
    version.company_ids,
    version.company_names,
    version.company_logo_paths,
    version.company_origin_countries,
    version.country_codes,
    version.country_names,
    version.language_codes,
    version.language_english_names,
    version.language_native_names,
    version.collection_id,
    version.collection_name,
    version.collection_poster_path,
    version.collection_backdrop_path,
    version.lost_fields,
    version.load_id,
    seen.first_seen_on,
    latest.movie_id is not null as is_current
from version
inner join seen
    on
        version.movie_id = seen.movie_id
        and version.content_hash = seen.version_hash
left join latest
    on
        version.movie_id = latest.movie_id
        and version.content_hash = latest.content_hash
where seen.first_seen_on is not null
