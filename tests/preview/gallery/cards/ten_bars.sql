select
    genre.genre as "Genre",
    genre.place * 10 as "Value"
from
{{ include('genre') }}
where genre.place >= {{ least }}
    [[and genre.genre = {{ genre }}]]
order by genre.place desc
