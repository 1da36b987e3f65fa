-- the newest runs, where there are more than the rows that Metabase shows
with newest_run as (
    select
        run.started_at,
        round(run.requested / nullif(run.duration_seconds, 0), 1) as speed
    from {{ ref('vw_pipeline_run') }} as run
    where
        run.finished_at is not null
        -- a load asks TMDB for nothing
        and run.mode <> 'load'
        and run.started_at > now() - make_interval(days => {{ days }}::integer)
    order by run.started_at desc
    limit 2000
)

select
    newest_run.started_at as "Started",
    newest_run.speed as "Requests a second"
from newest_run
order by newest_run.started_at
