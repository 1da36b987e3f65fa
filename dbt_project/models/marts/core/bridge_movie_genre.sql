{{ config(
    unique_key=['movie_id', 'genre_id'],
    indexes=[{'columns': ['genre_id', 'movie_id']}],
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

genre as (
    select * from {{ ref('dim_genre') }}
),

member as (
    select
        version.movie_id,
        version.content_hash,
        genre.genre_id
    from version
    cross join lateral unnest(version.genre_ids) as sent (genre_id)
    inner join genre on sent.genre_id = genre.genre_id
)

select
    latest.movie_id,
    member.genre_id,
    latest.load_id
from latest
inner join movie on latest.movie_id = movie.movie_id
{{ 'left' if is_incremental() else 'inner' }} join member
    on
        latest.movie_id = member.movie_id
        and latest.content_hash = member.content_hash
