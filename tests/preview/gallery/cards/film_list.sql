select film.title as "Film", film.genre as "Genre", film.votes as "Votes", film.day as "Day", film.film_id as "Film id"
from {{ ref('film') }}
where true
    [[and {{ genre }}]]
    [[and {{ title }}]]
    [[and {{ part_of_title }}]]
    [[and {{ votes }}]]
    [[and {{ day }}]]
    [[and film.film_id = {{ film_id }}]]
order by film.film_id
