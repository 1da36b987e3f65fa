-- a film of two countries counts in both: don't add countries up
select
    country.name as "Country",
    country.continent as "Continent",
    country.region as "Region",
    count(*) as "Films",
    round(avg(movie.popularity), 1) as "Mean popularity",
    round(avg(movie.vote_average), 2) as "Mean rating",
    sum(movie.vote_count) as "Votes"
from {{ ref('vw_movie_latest') }} as movie
inner join {{ ref('bridge_movie_country') }} as of_country on movie.movie_id = of_country.movie_id
inner join {{ ref('dim_country') }} as country on of_country.iso_3166_1 = country.iso_3166_1
where
    not movie.is_stale
    and movie.vanished_on is null
{{ include('place_conditions') }}
    [[and movie.vote_count >= {{ min_votes }}]]
group by country.iso_3166_1, country.name, country.continent, country.region
order by count(*) desc, country.iso_3166_1 asc
