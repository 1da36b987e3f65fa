{{ config(
    unique_key=['movie_id', 'genre_id'],
    indexes=[{'columns': ['genre_id', 'movie_id']}],
    meta={'replaces': 'movie_id'}
) }}

with version as (
    select * from {{ ref('stg_tmdb__movie_version') }}
),

member as (
    select
        version.movie_id,
        version.content_hash,
        sent.genre_id
    from version
    cross join lateral unnest(version.genre_ids) as sent (genre_id)
)

select
    latest.movie_id,
    member.genre_id,
    latest.load_id
{{ from_latest('content_hash', dimension=ref('dim_genre'), key='genre_id') }}
