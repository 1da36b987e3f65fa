with {{ current_movies() }},

offer as (
    select * from {{ ref('bridge_movie_provider') }}
),

provider as (
    select * from {{ ref('dim_provider') }}
),

country as (
    select * from {{ ref('dim_country') }}
),

popular_movie as (
    select movie_id
    from current_movie
    order by popularity desc nulls last, movie_id asc
    limit {{ var('popular_movies') }}
),

-- a film that a provider both rents and sells counts once
offered as (
    select
        offer.movie_id,
        offer.iso_3166_1,
        offer.provider_id,
        bool_or(offer.offer_type = 'flatrate') as is_flatrate
    from offer
    inner join popular_movie on offer.movie_id = popular_movie.movie_id
    group by offer.movie_id, offer.iso_3166_1, offer.provider_id
),

watchable as (
    select distinct
        movie_id,
        iso_3166_1
    from offered
),

in_country as (
    select
        iso_3166_1,
        count(*) as movie_count
    from watchable
    group by iso_3166_1
),

of_provider as (
    select
        iso_3166_1,
        provider_id,
        count(*) as movie_count,
        count(*) filter (where is_flatrate) as flatrate_movie_count
    from offered
    group by iso_3166_1, provider_id
)

select
    of_provider.iso_3166_1,
    coalesce(country.name, of_provider.iso_3166_1) as country_name,
    of_provider.provider_id,
    coalesce(provider.name, 'Provider ' || of_provider.provider_id) as provider_name,
    of_provider.movie_count,
    of_provider.flatrate_movie_count,
    (of_provider.movie_count::numeric / in_country.movie_count)::numeric(7, 6) as movie_share
from of_provider
inner join in_country on of_provider.iso_3166_1 = in_country.iso_3166_1
inner join provider on of_provider.provider_id = provider.provider_id
left join country on of_provider.iso_3166_1 = country.iso_3166_1
