with movie as not materialized (
    select * from {{ ref('dim_movie') }}
),

offer as not materialized (
    select * from {{ ref('bridge_movie_provider') }}
),

provider as (
    select * from {{ ref('dim_provider') }}
),

country as (
    select * from {{ ref('dim_country') }}
)

select
    offer.movie_id,
    movie.title,
    offer.iso_3166_1,
    coalesce(country.name, offer.iso_3166_1) as country_name,
    offer.provider_id,
    coalesce(provider.name, 'Provider ' || offer.provider_id) as provider_name,
    offer.offer_type,
    offer.as_of_date,
    'https://www.themoviedb.org/movie/' || offer.movie_id || '/watch?locale=' || offer.iso_3166_1
        as watch_page
from offer
inner join movie on offer.movie_id = movie.movie_id
inner join provider on offer.provider_id = provider.provider_id
left join country on offer.iso_3166_1 = country.iso_3166_1
where movie.vanished_on is null
