{{ config(
    unique_key='movie_id',
    indexes=[{'columns': ['collection_id']}],
    meta={'loads_after': ['dim_language', 'dim_collection']}
) }}

-- the foreign keys need the rows of the language and of the collection first
-- depends_on: {{ ref('dim_language') }}
-- depends_on: {{ ref('dim_collection') }}

with {{ newest_movie_snapshot() }},

vanishing as (
    select
        newest_snapshot.movie_id,
        min(movie_snapshot.snapshot_date) as vanished_on
    from newest_snapshot
    inner join {{ ref('stg_tmdb__movie_snapshot') }} as movie_snapshot
        on
            newest_snapshot.movie_id = movie_snapshot.movie_id
            and newest_snapshot.snapshot_date < movie_snapshot.snapshot_date
    where
        movie_snapshot.is_gone
        and {{ within_load_horizon('movie_snapshot.load_id') }}
    group by newest_snapshot.movie_id
)

select
    movie.movie_id,
    coalesce(movie.title, movie.original_title, 'Untitled film ' || movie.movie_id) as title,
    movie.original_title,
    movie.original_language,
    movie.release_date,
    movie.status,
    movie.runtime,
    movie.budget,
    coalesce(movie.is_budget_suspect, false) as is_budget_suspect,
    movie.revenue,
    coalesce(movie.is_revenue_suspect, false) as is_revenue_suspect,
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
    vanishing.vanished_on,
    movie.load_id
from newest_snapshot
inner join {{ ref('stg_tmdb__movie') }} as movie
    on
        newest_snapshot.movie_id = movie.movie_id
        and newest_snapshot.snapshot_date = movie.snapshot_date
left join vanishing on newest_snapshot.movie_id = vanishing.movie_id
