{{ config(
    unique_key=['movie_id', 'iso_3166_1', 'title'],
    meta={'replaces': 'movie_id'}
) }}

with latest as (
    select *
    from {{ ref('int_movie_latest') }}
    where {{ is_new() }}
),

sent as (
    select * from {{ ref('stg_tmdb__movie_alternative_title') }}
),

movie as (
    select * from {{ ref('dim_movie') }}
)

select
    latest.movie_id,
    sent.iso_3166_1,
    sent.title,
    sent.title_type,
    latest.load_id
from latest
inner join movie on latest.movie_id = movie.movie_id
{{ 'left' if is_incremental() else 'inner' }} join sent
    on
        latest.movie_id = sent.movie_id
        and latest.alternative_titles_hash = sent.alternative_titles_hash
