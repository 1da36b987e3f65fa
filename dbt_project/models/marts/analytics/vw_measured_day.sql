select calendar.date_id
from {{ ref('dim_date') }} as calendar
where {{ has_row('calendar.date_id', ref('fact_movie_daily'), 'date_id') }}
