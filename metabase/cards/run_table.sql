select
    run.run_id as "Run",
    run.started_at as "Started",
    run.snapshot_date as "Snapshot date",
    run.mode as "Mode",
    run.status as "Status",
    run.duration_seconds as "Seconds",
    run.requested as "Requested",
    run.landed as "Landed",
    run.not_found as "Not found",
    run.failed as "Failed",
    run.retried as "Retried",
    round(run.bytes / 1e6, 1) as "MB",
    run.error as "Error"
from {{ ref('vw_pipeline_run') }} as run
order by run.run_id desc
limit 100
