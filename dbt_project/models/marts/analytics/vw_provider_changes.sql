with movie as not materialized (
    select * from {{ ref('dim_movie') }}
),

change as not materialized (
    select * from {{ ref('fact_movie_provider_change') }}
),

provider as (
    select * from {{ ref('dim_provider') }}
),

country as (
    select * from {{ ref('dim_country') }}
)

select
    change.changed_on,
    change.compared_with,
    change.change_kind,
    change.movie_id,
    movie.title,
    change.iso_3166_1,
    coalesce(country.name, change.iso_3166_1) as country_name,
    change.provider_id,
    coalesce(provider.name, 'Provider ' || change.provider_id) as provider_name,
    change.offer_type
from change
inner join movie on change.movie_id = movie.movie_id
inner join provider on change.provider_id = provider.provider_id
left join country on change.iso_3166_1 = country.iso_3166_1
where movie.vanished_on is null
