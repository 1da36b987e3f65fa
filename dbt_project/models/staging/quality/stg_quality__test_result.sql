select
    test,
    description,
    model,
    column_name,
    severity,
    status,
    failing_rows,
    failures_relation,
    tested_at,
    failing_since,
    last_failed_at
from {{ source('ops', 'test_result') }}
