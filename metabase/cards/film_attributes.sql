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
    (5, 'Genres', (
        select string_agg(genre.name, ', ' order by genre.name)
        from {{ ref('bridge_movie_genre') }} as movie_genre
        inner join {{ ref('dim_genre') }} as genre on movie_genre.genre_id = genre.genre_id
        where movie_genre.movie_id = movie.movie_id
    )),
    (6, 'Original language', original.name),
    (7, 'Countries', (
        select string_agg(country.name, ', ' order by country.name)
        from {{ ref('bridge_movie_country') }} as movie_country
        inner join {{ ref('dim_country') }} as country on movie_country.iso_3166_1 = country.iso_3166_1
        where movie_country.movie_id = movie.movie_id
    )),
    (8, 'Companies', (
        select string_agg(company.name, ', ' order by company.name)
        from {{ ref('bridge_movie_company') }} as movie_company
        inner join {{ ref('dim_company') }} as company on movie_company.company_id = company.company_id
        where movie_company.movie_id = movie.movie_id
    )),
    (9, 'Runtime', movie.runtime || ' min'),
    (10, 'Budget', to_char(movie.budget, '$FM999,999,999,990')),
    (11, 'Revenue', to_char(movie.revenue, '$FM999,999,999,990')),
    (12, 'Tagline', movie.tagline),
    (13, 'Overview', movie.overview),
    (14, 'Last snapshot', to_char(movie.date_id, 'YYYY-MM-DD')),
    (15, 'TMDB id', movie.movie_id::text)
) as attribute (place, name, value)
where attribute.value is not null
order by attribute.place
