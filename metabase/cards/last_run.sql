select run.status as "Last run"
from {{ ref('vw_pipeline_run') }} as run
order by run.run_id desc
limit 1
