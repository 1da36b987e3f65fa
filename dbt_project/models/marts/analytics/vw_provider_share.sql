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

offered as (
    select offer.*
    from offer
    inner join popular_movie on offer.movie_id = popular_movie.movie_id
),

in_country as (
    select
        iso_3166_1,
        count(distinct movie_id) as movie_count
    from offered
    group by iso_3166_1
),

of_provider as (
    select
        iso_3166_1,
        provider_id,
        count(distinct movie_id) as movie_count,
        count(distinct movie_id) filter (where offer_type = 'flatrate') as flatrate_movie_count
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
