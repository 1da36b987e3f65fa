select
    failure_id,
    run_id,
    resource,
    resource_id,
    snapshot_date,
    reason,
    detail,
    http_status,
    occurred_at
from {{ ref('stg_tmdb__extract_failure') }}
