-- The versions of films that some day shows, with the first of these days, and whether each is its film's
-- content of today.
with version as (
    select * from {{ ref('stg_tmdb__movie_version') }}
),

seen as (
    select * from {{ ref('stg_tmdb__block_version') }}
),

latest as (
    select * from {{ ref('int_movie_latest') }}
)

-- noqa: disable=AM04
-- every column of the version, whichever it has
select
    version.*,
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
