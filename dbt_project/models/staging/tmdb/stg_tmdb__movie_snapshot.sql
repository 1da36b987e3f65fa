select
    resource_id as movie_id,
    snapshot_date,
    http_status = 404 as is_gone,
    load_id
from {{ ref('base_tmdb__response') }}
where resource = 'movie' and http_status in (200, 404)
