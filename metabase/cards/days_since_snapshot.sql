select current_date - max(fact.date_id) as "Days"
from {{ ref('fact_movie_daily') }} as fact
