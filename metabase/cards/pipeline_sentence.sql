-- how the pipeline stands, in a sentence
with last_run as (
    select run.*
    from {{ ref('vw_pipeline_run') }} as run
    order by run.run_id desc
    limit 1
),

newest as (
    select max(fact.date_id) as date_id
    from {{ ref('fact_movie_daily') }} as fact
)

select
    'The newest snapshot is of ' || coalesce(trim(to_char(newest.date_id, 'FMDD FMMonth YYYY')), 'no day yet')
    || case when newest.date_id = current_date then ', today' when newest.date_id = current_date - 1 then ', yesterday'
        else coalesce(', ' || (current_date - newest.date_id) || ' days ago', '') end
    || coalesce('; the last run (' || last_run.mode || ') ended ' || last_run.status
        || ' with ' || trim(to_char(last_run.landed, '999,999,999')) || ' answers landed and '
        || trim(to_char(last_run.failed, '999,999,999')) || ' failed', '; there was no run')
    || '; in the last ' || {{ days }}::integer || ' days '
    || (
        select count(*)
        from {{ ref('vw_pipeline_failure') }} as failure
        where failure.occurred_at > now() - make_interval(days => {{ days }}::integer)
    )
    || ' resources could not be fetched.' as "Is it healthy"
from newest
left join last_run on true
