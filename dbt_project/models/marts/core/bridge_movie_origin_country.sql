{{ config(
    unique_key=['movie_id', 'iso_3166_1'],
    indexes=[{'columns': ['iso_3166_1', 'movie_id']}],
    meta={'replaces': 'movie_id'}
) }}

with latest as (
    select *
    from {{ ref('int_movie_latest') }}
    where {{ is_new() }}
),

version as (
    select * from {{ ref('stg_tmdb__movie_version') }}
),

movie as (
    select * from {{ ref('dim_movie') }}
),

member as (
    select
        version.movie_id,
        version.content_hash,
        sent.iso_3166_1
    from version
    cross join lateral unnest(version.origin_country_codes) as sent (iso_3166_1)
)

select
    latest.movie_id,
    member.iso_3166_1,
    latest.load_id
from latest
inner join movie on latest.movie_id = movie.movie_id
{{ 'left' if is_incremental() else 'inner' }} join member
    on
        latest.movie_id = member.movie_id
        and latest.content_hash = member.content_hash
