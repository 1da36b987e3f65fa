-- the ledger; before the first extraction there is none, and this is empty
select
    run_id,
    mode,
    snapshot_date,
    started_at,
    finished_at,
    status,
    requested,
    landed,
    not_found,
    failed,
    retried,
    bytes,
    error
from {{ landing_zone_table('extract_run') }}
