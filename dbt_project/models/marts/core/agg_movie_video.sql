{{ config(unique_key='movie_id', meta={'delete_when': 'new_row.video_count is null'}) }}

with member as (
    select * from {{ ref('stg_tmdb__movie_video') }}
)

select
    latest.movie_id,
    member.video_count,
    member.trailer_count,
    latest.videos_on as as_of_date,
    latest.load_id
{{ from_latest('videos_hash') }}
