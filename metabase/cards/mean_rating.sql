{{ include('film_day') }}

select
    film_day.date_id as "Day",
    round(avg(film_day.vote_average), 2) as "Mean rating"
from film_day
group by film_day.date_id
order by film_day.date_id
