-- what could not be landed; the raw bytes of the answer stay in the landing zone
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
from {{ landing_zone_table('extract_failure') }}
