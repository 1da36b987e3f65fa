{{ config(
    unique_key=['movie_id', 'iso_3166_1', 'release_number'],
    indexes=[{'columns': ['release_date', 'iso_3166_1']}],
    meta={'replaces': 'movie_id'}
) }}

with latest as (
    select *
    from {{ ref('int_movie_latest') }}
    where {{ is_new() }}
),

sent as (
    select * from {{ ref('stg_tmdb__movie_release') }}
),

movie as (
    select * from {{ ref('dim_movie') }}
)

select
    latest.movie_id,
    sent.iso_3166_1,
    sent.release_number,
    sent.release_type_id,
    sent.release_type,
    sent.release_date,
    sent.certification,
    sent.note,
    sent.iso_639_1,
    latest.load_id
from latest
inner join movie on latest.movie_id = movie.movie_id
{{ 'left' if is_incremental() else 'inner' }} join sent
    on
        latest.movie_id = sent.movie_id
        and latest.release_dates_hash = sent.release_dates_hash
