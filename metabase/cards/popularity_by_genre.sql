-- a film of three genres counts in each of the three
select
    genre.name as "Genre",
    round(avg(movie.popularity), 1) as "Mean popularity",
    count(*) as "Films"
from {{ ref('vw_movie_latest') }} as movie
inner join {{ ref('bridge_movie_genre') }} as of_genre on movie.movie_id = of_genre.movie_id
inner join {{ ref('dim_genre') }} as genre on of_genre.genre_id = genre.genre_id
where
    not movie.is_stale
    and movie.vanished_on is null
{{ include('film_conditions') }}
    [[and movie.vote_count >= {{ min_votes }}]]
group by genre.genre_id, genre.name
order by avg(movie.popularity) desc nulls last, genre.genre_id asc
limit 10
