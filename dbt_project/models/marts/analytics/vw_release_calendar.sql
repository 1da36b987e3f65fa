with {{ current_movies() }},

movie_genre as not materialized (
    select * from {{ ref('bridge_movie_genre') }}
),

dim_genre as not materialized (
    select * from {{ ref('dim_genre') }}
),

release as (
    select movie.*
    from movie
    cross join newest
    where movie.release_date >= newest.date_id - {{ var('calendar_days_back') }} and movie.vanished_on is null
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
inner join trend on release.movie_id = trend.movie_id
left join lateral (
    select string_agg(dim_genre.name, ', ' order by dim_genre.name) as genre_names
    from movie_genre
    inner join dim_genre on movie_genre.genre_id = dim_genre.genre_id
    where movie_genre.movie_id = release.movie_id
) as genre on true
order by release.release_date asc, trend.popularity desc, release.movie_id asc
