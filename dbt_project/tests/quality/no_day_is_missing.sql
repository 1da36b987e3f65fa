{{ config(severity='warn') }}

with calendar as (
    select * from {{ ref('dim_date') }}
),

fact as not materialized (
    select * from {{ ref('fact_movie_daily') }}
),

span as (
    select
        greatest(min(date_id), max(date_id) - 60) as first_date,
        max(date_id) as last_date
    from fact
)

select calendar.date_id
from calendar
inner join span on calendar.date_id between span.first_date and span.last_date
where
    not {{ has_row(
        'calendar.date_id', 'fact', 'date_id', 'select span.first_date from span'
    ) }}
