{{ include('chosen_film') }}

select
    attribute.name as "Attribute",
    attribute.value as "Value"
from film
inner join {{ ref('vw_movie_latest') }} as movie on film.movie_id = movie.movie_id
left join {{ ref('dim_language') }} as original on movie.original_language = original.iso_639_1
cross join lateral (
    values
    (1, 'Title', movie.title),
    (2, 'Original title', movie.original_title),
    (3, 'Released', to_char(movie.release_date, 'YYYY-MM-DD')),
    (4, 'Status', movie.status),
    (5, 'Original language', original.name),
    (6, 'Runtime', movie.runtime || ' min'),
    (7, 'Budget', to_char(movie.budget, '$FM999,999,999,990')),
    (8, 'Revenue', to_char(movie.revenue, '$FM999,999,999,990')),
    (9, 'Tagline', movie.tagline),
    (10, 'Overview', movie.overview),
    (11, 'Last snapshot', to_char(movie.date_id, 'YYYY-MM-DD')),
    (12, 'TMDB id', movie.movie_id::text)
) as attribute (place, name, value)
where attribute.value is not null
order by attribute.place
