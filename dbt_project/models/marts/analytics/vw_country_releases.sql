with {{ current_movies() }},

release as not materialized (
    select * from {{ ref('bridge_movie_release') }}
),

country as (
    select * from {{ ref('dim_country') }}
),

-- a query of its own: its bounds let the index find the month's releases
this_month as (
    select release.*
    from release
    where
        release.release_date >= (select date_trunc('month', newest.date_id)::date from newest)
        and release.release_date < (
            select (date_trunc('month', newest.date_id) + interval '1 month')::date
            from newest
        )
)

select
    this_month.iso_3166_1,
    coalesce(country.name, this_month.iso_3166_1) as country_name,
    this_month.release_date,
    this_month.movie_id,
    this_month.release_number,
    movie.title,
    this_month.release_type,
    this_month.certification,
    this_month.note,
    trend.popularity
from this_month
inner join movie on this_month.movie_id = movie.movie_id
inner join trend on this_month.movie_id = trend.movie_id
left join country on this_month.iso_3166_1 = country.iso_3166_1
where movie.vanished_on is null
