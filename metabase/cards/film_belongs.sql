-- three lists side by side, each name of which leads to its dashboard
{{ include('chosen_film') }},

genre as (
    select
        genre.name,
        row_number() over (order by genre.name) as place
    from film
    inner join {{ ref('bridge_movie_genre') }} as of_genre on film.movie_id = of_genre.movie_id
    inner join {{ ref('dim_genre') }} as genre on of_genre.genre_id = genre.genre_id
),

country as (
    select
        country.name,
        row_number() over (order by country.name) as place
    from film
    inner join {{ ref('bridge_movie_country') }} as of_country on film.movie_id = of_country.movie_id
    inner join {{ ref('dim_country') }} as country on of_country.iso_3166_1 = country.iso_3166_1
),

company as (
    select
        company.name,
        row_number() over (order by company.name, company.company_id) as place
    from film
    inner join {{ ref('bridge_movie_company') }} as of_company on film.movie_id = of_company.movie_id
    inner join {{ ref('dim_company') }} as company on of_company.company_id = company.company_id
)

select
    genre.name as "Genre",
    country.name as "Country",
    company.name as "Company"
from generate_series(1, 100) as line (place)
left join genre on line.place = genre.place
left join country on line.place = country.place
left join company on line.place = company.place
where coalesce(genre.name, country.name, company.name) is not null
order by line.place
