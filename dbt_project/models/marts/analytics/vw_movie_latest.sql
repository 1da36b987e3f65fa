with {{ current_movies() }}

select
    trend.movie_id,
    movie.title,
    trend.date_id,
    trend.popularity,
    trend.vote_average,
    trend.vote_count,
    trend.date_id < newest.date_id - {{ var('latest_within_days') }} as is_stale,
    movie.original_title,
    movie.original_language,
    movie.release_date,
    movie.status,
    movie.runtime,
    movie.budget,
    movie.is_budget_suspect,
    movie.revenue,
    movie.is_revenue_suspect,
    movie.imdb_id,
    movie.collection_id,
    movie.collection_name,
    movie.tagline,
    movie.overview,
    movie.homepage,
    movie.poster_path,
    movie.backdrop_path,
    movie.is_adult,
    movie.is_video,
    movie.vanished_on
from trend
inner join movie on trend.movie_id = movie.movie_id
cross join newest
