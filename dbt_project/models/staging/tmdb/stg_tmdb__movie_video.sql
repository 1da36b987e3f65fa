{{ config(
    unique_key=['movie_id', 'videos_hash'],
    post_hook="{{ drop_withdrawn_versions('videos_hash') }}"
) }}

select
    version.movie_id,
    version.version_hash as videos_hash,
    video.video_count,
    video.trailer_count,
    version.load_id
from {{ new_versions('videos') }} as version
cross join lateral (
    select
        count(*)::integer as video_count,
        count(*) filter (where element.sent ->> 'type' = 'Trailer')::integer as trailer_count
    from {{ json_elements("version.film #> '{videos,results}'") }} as element (sent)
    where jsonb_typeof(element.sent) = 'object'
) as video
