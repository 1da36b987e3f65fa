with newest as (
    select max(date_id) as date_id
    from {{ ref('agg_movie_trend') }}
),

release as (
    select movie.*
    from {{ ref('dim_movie') }} as movie
    where
        movie.release_date >= (select newest.date_id from newest) - {{ var('calendar_days_back') }}
        and movie.vanished_on is null
)

select
    release.release_date,
    release.movie_id,
    release.title,
    release.release_date - newest.date_id as days_until_release,
    release.original_language,
    release.status,
    release.runtime,
    genre.genre_names,
    trend.popularity,
    trend.date_id
from release
cross join newest
inner join {{ ref('agg_movie_trend') }} as trend on release.movie_id = trend.movie_id
left join lateral (
    select string_agg(dim_genre.name, ', ' order by dim_genre.name) as genre_names
    from {{ ref('bridge_movie_genre') }} as movie_genre
    inner join {{ ref('dim_genre') }} as dim_genre on movie_genre.genre_id = dim_genre.genre_id
    where movie_genre.movie_id = release.movie_id
) as genre on true
order by release.release_date asc, trend.popularity desc, release.movie_id asc
