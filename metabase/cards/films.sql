{{ include('film_day') }}

select
    film_day.date_id as "Day",
    count(*) as "Films"
from film_day
group by film_day.date_id
order by film_day.date_id
