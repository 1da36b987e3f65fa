with movie as not materialized (
    select * from {{ ref('dim_movie') }}
),

release as (
    select * from {{ ref('bridge_movie_release') }}
),

country as (
    select * from {{ ref('dim_country') }}
),

first_release as (
    select
        movie_id,
        iso_3166_1,
        min(release_date) filter (where release_type_id in (2, 3)) as cinema_date,
        min(release_date) filter (where release_type_id = 4) as digital_date
    from release
    where release_type_id in (2, 3, 4)
    group by movie_id, iso_3166_1
)

select
    first_release.movie_id,
    movie.title,
    first_release.iso_3166_1,
    coalesce(country.name, first_release.iso_3166_1) as country_name,
    first_release.cinema_date,
    first_release.digital_date,
    first_release.digital_date - first_release.cinema_date as days_to_digital
from first_release
inner join movie on first_release.movie_id = movie.movie_id
left join country on first_release.iso_3166_1 = country.iso_3166_1
where
    first_release.cinema_date is not null
    and first_release.digital_date is not null
    and movie.vanished_on is null
