select
    decade::text || 's' as "Decade",
    genre.genre as "Genre",
    genre.place * 100 as "Films"
from
{{ include('genre') }}
cross join generate_series(1960, 2020, 10) as decade
where genre.place >= 5
    [[and genre.genre = {{ genre }}]]
order by decade, genre.genre
