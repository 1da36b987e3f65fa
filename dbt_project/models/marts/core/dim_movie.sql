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
        gone.vanished_on
    from newest_snapshot
    cross join lateral (
        select min(movie_snapshot.snapshot_date) as vanished_on
        from {{ ref('stg_tmdb__movie_snapshot') }} as movie_snapshot
        where
            movie_snapshot.movie_id = newest_snapshot.movie_id
            and movie_snapshot.snapshot_date > newest_snapshot.snapshot_date
            and movie_snapshot.is_gone
            and {{ within_load_horizon('movie_snapshot.load_id') }}
    ) as gone
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
cross join lateral {{ rows_of_snapshot(ref('stg_tmdb__movie'), 'newest_snapshot') }} as movie
left join vanishing on newest_snapshot.movie_id = vanishing.movie_id
