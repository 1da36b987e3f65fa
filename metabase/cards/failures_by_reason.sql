select
    failure.reason as "Reason",
    count(*) as "Failures"
from {{ ref('vw_pipeline_failure') }} as failure
where failure.occurred_at > now() - make_interval(days => {{ days }}::integer)
group by failure.reason
order by count(*) desc, failure.reason asc
