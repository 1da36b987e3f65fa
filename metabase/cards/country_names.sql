select country.name as "Country"
from {{ ref('dim_country') }} as country
where exists (
    select 1 from {{ ref('bridge_movie_country') }} as movie_country
    where movie_country.iso_3166_1 = country.iso_3166_1
)
order by country.name
