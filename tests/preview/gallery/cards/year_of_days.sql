-- newest first, so that what is cut is old
select
    day::date as "Day",
    genre.genre as "Genre",
    round((20 + genre.place + 3 * sin(extract(doy from day)::float8 / 30))::numeric, 1) as "Value"
from
{{ include('genre') }}
cross join generate_series(date '2025-01-01', date '2025-12-31', interval '1 day') as day
where genre.place <= 8
    [[and genre.genre = {{ genre }}]]
    [[and extract(year from day) >= {{ year_from }}]]
    [[and extract(year from day) <= {{ year_to }}]]
order by day desc, genre.genre
