{{ config(
    unique_key=['movie_id', 'genre_id'],
    indexes=[{'columns': ['genre_id', 'movie_id']}],
    meta={'replaces': 'movie_id'}
) }}

with member as (
    select
        version.movie_id,
        version.content_hash,
        genre.genre_id
    from {{ ref('stg_tmdb__movie_version') }} as version
    cross join lateral unnest(version.genre_ids) as sent (genre_id)
    inner join {{ ref('dim_genre') }} as genre on sent.genre_id = genre.genre_id
)

select
    latest.movie_id,
    member.genre_id,
    latest.load_id
{{ from_latest('member', 'content_hash') }}
