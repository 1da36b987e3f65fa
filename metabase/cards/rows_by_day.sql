{{ include('shown_day') }}

select
    fact.date_id as "Day",
    count(*) as "Films measured"
from shown_day
inner join {{ ref('fact_movie_daily') }} as fact on shown_day.date_id = fact.date_id
group by fact.date_id
order by fact.date_id
