with {{ current_movies() }}

select
    country.iso_3166_1,
    country.name as country_name,
    country.continent,
    country.region,
    {{ group_measures('current_movie') }}
from current_movie
inner join {{ ref('bridge_movie_country') }} as movie_country
    on current_movie.movie_id = movie_country.movie_id
inner join {{ ref('dim_country') }} as country on movie_country.iso_3166_1 = country.iso_3166_1
group by country.iso_3166_1, country.name, country.continent, country.region
