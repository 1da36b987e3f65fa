select
    fact.date_id as "Day",
    count(*) as "Films measured"
from {{ ref('fact_movie_daily') }} as fact
where fact.date_id > (
    select max(newest.date_id) from {{ ref('fact_movie_daily') }} as newest
) - {{ days }}::integer
group by fact.date_id
order by fact.date_id
