select
    test,
    severity,
    status,
    failing_rows,
    failing_since,
    description,
    model,
    column_name,
    failures_relation,
    tested_at,
    last_failed_at
from {{ ref('stg_quality__test_result') }}
-- what fails comes first, errors before warnings
order by array_position(array['error', 'fail', 'warn', 'pass'], status), failing_since, test
