select
    week::date as "Week",
    genre.genre as "Genre",
    round((20 + genre.place + 3 * sin(extract(doy from week)::float8 / 30))::numeric, 1) as "Value"
from
{{ include('genre') }}
cross join generate_series(date '2025-01-01', date '2025-12-31', interval '1 week') as week
where genre.place between 3 and 8
    [[and genre.genre = {{ genre }}]]
    and genre.place >= {{ least }}
order by week, genre.genre
