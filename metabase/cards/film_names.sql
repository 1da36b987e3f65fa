-- the id makes a choice of two films of one name and year, and is what the cards read
select concat(movie.title, ' (' || extract(year from movie.release_date) || ')', ' · ', movie.movie_id) as "Film"
from {{ ref('vw_movie_latest') }} as movie
order by movie.is_stale asc, movie.popularity desc nulls last, movie.movie_id asc
limit 1000
