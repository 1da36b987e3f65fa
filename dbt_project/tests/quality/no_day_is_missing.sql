{{ config(severity='warn') }}

with span as (
    select
        greatest(min(date_id), max(date_id) - 60) as first_date,
        max(date_id) as last_date
    from {{ ref('fact_movie_daily') }}
)

select calendar.date_id
from {{ ref('dim_date') }} as calendar
inner join span on calendar.date_id between span.first_date and span.last_date
where
    not {{ has_row(
        'calendar.date_id', ref('fact_movie_daily'), 'date_id', 'select span.first_date from span'
    ) }}
