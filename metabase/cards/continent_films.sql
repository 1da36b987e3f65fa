-- a film of two European countries is one film of Europe
with film_continent as (
    select distinct
        movie.movie_id,
        movie.popularity,
        coalesce(country.continent, 'Unknown') as continent
    from {{ ref('vw_movie_latest') }} as movie
    inner join {{ ref('bridge_movie_country') }} as of_country on movie.movie_id = of_country.movie_id
    inner join {{ ref('dim_country') }} as country on of_country.iso_3166_1 = country.iso_3166_1
    where
        not movie.is_stale
        and movie.vanished_on is null
{{ include('place_conditions') }}
    [[and movie.vote_count >= {{ min_votes }}]]
)

select
    film_continent.continent as "Continent",
    count(*) as "Films",
    round(avg(film_continent.popularity), 1) as "Mean popularity"
from film_continent
group by film_continent.continent
order by count(*) desc, film_continent.continent asc
