{{ config(unique_key='movie_id', meta={'delete_when': 'new_row.video_count is null'}) }}

with latest as (
    select *
    from {{ ref('int_movie_latest') }}
    where {{ is_new() }}
),

video as (
    select * from {{ ref('stg_tmdb__movie_video') }}
),

movie as (
    select * from {{ ref('dim_movie') }}
)

select
    movie.movie_id,
    video.video_count,
    video.trailer_count,
    latest.videos_on as as_of_date,
    latest.load_id
from latest
inner join movie on latest.movie_id = movie.movie_id
{{ 'left' if is_incremental() else 'inner' }} join video
    on
        latest.movie_id = video.movie_id
        and latest.videos_hash = video.videos_hash
