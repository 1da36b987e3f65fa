select film.genre as "Genre", count(*) as "Films"
from {{ ref('film') }}
where true
    [[and {{ genre }}]]
group by film.genre
order by count(*) desc, film.genre
