-- the payload's keys only: an index of the landing zone (tmdb_response_full_idx) serves this
select
    resource_id as movie_id,
    snapshot_date,
    payload ? 'keywords' as has_keywords,
    load_id
from {{ ref('base_tmdb__response') }}
where resource = 'movie' and payload ? 'credits' and http_status = 200
