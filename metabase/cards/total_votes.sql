{{ include('film_day') }}

select
    film_day.date_id as "Day",
    sum(film_day.vote_count) as "Votes"
from film_day
group by film_day.date_id
order by film_day.date_id
