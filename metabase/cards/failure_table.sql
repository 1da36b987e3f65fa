select
    failure.occurred_at as "When",
    failure.run_id as "Run",
    failure.resource as "Resource",
    failure.resource_id as "Id",
    failure.reason as "Reason",
    failure.http_status as "HTTP status",
    left(failure.detail, 300) as "Detail"
from {{ ref('vw_pipeline_failure') }} as failure
where
    failure.occurred_at > now() - make_interval(days => {{ days }}::integer)
    [[and failure.reason = {{ reason }}]]
order by failure.failure_id desc
limit 100
