with calendar as (
    select * from {{ ref('dim_date') }}
),

fact as (
    select * from {{ ref('fact_movie_daily') }}
)

select calendar.date_id
from calendar
where {{ has_row('calendar.date_id', 'fact', 'date_id') }}
