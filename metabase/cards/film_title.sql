{{ include('chosen_film') }}

select movie.title || coalesce(' (' || extract(year from movie.release_date) || ')', '') as "Film"
from film
inner join {{ ref('dim_movie') }} as movie on film.movie_id = movie.movie_id
