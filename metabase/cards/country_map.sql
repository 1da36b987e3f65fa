-- by production country; a film of two countries counts in both. Metabase's map knows ISO codes, not TMDB's own
select
    country.iso_3166_1 as "Country code",
    country.name as "Country",
    count(*) as "Films"
from {{ ref('vw_movie_latest') }} as movie
inner join {{ ref('bridge_movie_country') }} as of_country on movie.movie_id = of_country.movie_id
inner join {{ ref('dim_country') }} as country on of_country.iso_3166_1 = country.iso_3166_1
where
    not movie.is_stale
    and movie.vanished_on is null
{{ include('place_conditions') }}
    [[and movie.vote_count >= {{ min_votes }}]]
group by country.iso_3166_1, country.name
order by count(*) desc, country.iso_3166_1 asc
