with {{ latest_snapshots() }}

select
    latest_snapshot.movie_id,
    movie.title,
    latest_snapshot.date_id,
    latest_snapshot.popularity,
    latest_snapshot.vote_average,
    latest_snapshot.vote_count,
    latest_snapshot.is_stale,
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
from latest_snapshot
inner join {{ ref('dim_movie') }} as movie on latest_snapshot.movie_id = movie.movie_id
