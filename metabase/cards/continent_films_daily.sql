{{ include('shown_day') }},

-- a film of two European countries is one film of Europe
film_continent as (
    select distinct
        of_country.movie_id,
        country.continent
    from {{ ref('bridge_movie_country') }} as of_country
    inner join {{ ref('dim_country') }} as country on of_country.iso_3166_1 = country.iso_3166_1
    where country.continent is not null
)

select
    fact.date_id as "Day",
    film_continent.continent as "Continent",
    round(avg(fact.popularity), 1) as "Mean popularity",
    count(*) as "Films"
from shown_day
inner join {{ ref('fact_movie_daily') }} as fact on shown_day.date_id = fact.date_id
inner join {{ ref('dim_movie') }} as movie on fact.movie_id = movie.movie_id
inner join film_continent on fact.movie_id = film_continent.movie_id
where
    true
{{ include('place_conditions') }}
    [[and fact.vote_count >= {{ min_votes }}]]
group by fact.date_id, film_continent.continent
order by fact.date_id, film_continent.continent
