{{ include('chosen_film') }}

select
    fact.date_id as "Day",
    fact.vote_count as "Votes"
from film
inner join {{ ref('fact_movie_daily') }} as fact on film.movie_id = fact.movie_id
order by fact.date_id
