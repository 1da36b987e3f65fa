select distinct country.continent as "Continent"
from {{ ref('dim_country') }} as country
where
    country.continent is not null
    and exists (
        select 1 from {{ ref('bridge_movie_country') }} as movie_country
        where movie_country.iso_3166_1 = country.iso_3166_1
    )
order by country.continent
