{{ config(
    unique_key=['movie_id', 'genre_id'],
    indexes=[{'columns': ['genre_id', 'movie_id']}],
    meta={'replaces': 'movie_id'}
) }}

with version as (
    select * from {{ ref('stg_tmdb__movie_version') }}
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
{{ from_latest('content_hash') }}
