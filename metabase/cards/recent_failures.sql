select count(*) as "Failures"
from {{ ref('vw_pipeline_failure') }} as failure
where failure.occurred_at > now() - make_interval(days => {{ days }}::integer)
