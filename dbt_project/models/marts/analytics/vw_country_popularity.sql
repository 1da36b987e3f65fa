with {{ current_movies() }},

movie_country as (
    select * from {{ ref('bridge_movie_country') }}
),

country as (
    select * from {{ ref('dim_country') }}
)

select
    country.iso_3166_1,
    country.name as country_name,
    country.continent,
    country.region,
    {{ group_measures('current_movie') }}
from current_movie
inner join movie_country on current_movie.movie_id = movie_country.movie_id
inner join country on movie_country.iso_3166_1 = country.iso_3166_1
cross join rating_prior
group by country.iso_3166_1, country.name, country.continent, country.region
