select max(fact.date_id) as "Newest snapshot"
from {{ ref('fact_movie_daily') }} as fact
