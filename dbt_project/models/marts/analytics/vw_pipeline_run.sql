select
    run_id,
    mode,
    snapshot_date,
    started_at,
    finished_at,
    case when finished_at >= started_at then extract(epoch from finished_at - started_at) end::numeric(12, 1)
        as duration_seconds,
    status,
    requested,
    landed,
    not_found,
    failed,
    retried,
    bytes,
    error
from {{ ref('stg_tmdb__extract_run') }}
