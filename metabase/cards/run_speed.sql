select
    run.started_at as "Started",
    round(run.requested / nullif(run.duration_seconds, 0), 1) as "Requests a second"
from {{ ref('vw_pipeline_run') }} as run
where
    run.finished_at is not null
    -- a load asks TMDB for nothing
    and run.mode <> 'load'
    and run.started_at > now() - make_interval(days => {{ days }}::integer)
order by run.started_at
