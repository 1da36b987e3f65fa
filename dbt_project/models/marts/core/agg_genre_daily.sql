{{ config(
    incremental_strategy='replace_per_date',
    unique_key=['date_id', 'genre_id'],
    indexes=[{'columns': ['genre_id', 'date_id']}],
    meta={'loads_after': ['fact_movie_daily', 'dim_genre']}
) }}

-- the foreign keys need the rows of the dimensions first
-- depends_on: {{ ref('dim_genre') }}
-- depends_on: {{ ref('dim_date') }}

with changed_date as (
    select distinct snapshot_date as date_id
    from {{ ref('stg_tmdb__movie_snapshot') }}
    where {{ load_window() }}
)

-- a film counts on each day for the genres that it had on that day
select
    changed_date.date_id,
    genre.genre_id,
    genre.movie_count,
    genre.avg_popularity,
    genre.total_votes,
    genre.avg_rating,
    genre.load_id
from changed_date
{{ 'left' if is_incremental() else 'inner' }} join lateral (
    select
        movie_genre.genre_id,
        count(*)::bigint as movie_count,
        avg(fact.popularity)::numeric(14, 6) as avg_popularity,
        sum(fact.vote_count)::bigint as total_votes,
        avg(fact.vote_average)::numeric(5, 3) as avg_rating,
        max(movie_genre.load_id) as load_id
    from {{ ref('stg_tmdb__movie_genre') }} as movie_genre
    inner join {{ ref('fact_movie_daily') }} as fact
        on
            movie_genre.snapshot_date = fact.date_id
            and movie_genre.movie_id = fact.movie_id
    where
        movie_genre.snapshot_date = changed_date.date_id
        and {{ within_load_horizon('movie_genre.load_id') }}
    group by movie_genre.genre_id
) as genre on true
