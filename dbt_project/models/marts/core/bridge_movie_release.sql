{{ config(
    unique_key=['movie_id', 'iso_3166_1', 'release_number'],
    indexes=[{'columns': ['release_date', 'iso_3166_1']}],
    meta={'replaces': 'movie_id'}
) }}

with latest as {{ read_once() }} (
    select *
    from {{ ref('int_movie_latest') }}
    where {{ is_new() }}
),

sent as (
    select * from {{ ref('stg_tmdb__movie_release') }}
),

movie as (
    select * from {{ ref('dim_movie') }}
),

member as (
    select sent.*
    from latest
    inner join movie on latest.movie_id = movie.movie_id
    inner join sent
        on
            latest.movie_id = sent.movie_id
            and latest.release_dates_hash = sent.release_dates_hash
)

select
    latest.movie_id,
    member.iso_3166_1,
    member.release_number,
    member.release_type_id,
    member.release_type,
    member.release_date,
    member.certification,
    member.note,
    member.iso_639_1,
    latest.load_id
from latest
{{ 'left' if is_incremental() else 'inner' }} join member on latest.movie_id = member.movie_id
