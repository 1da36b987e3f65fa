-- the newest snapshot date and the one before, each with every film's measures as they stood at its end:
-- those of its last snapshot, if that is not stale
with day as (
    select max(fact.date_id) as date_id
    from {{ ref('fact_movie_daily') }} as fact
    union
    select max(fact.date_id) as date_id
    from {{ ref('fact_movie_daily') }} as fact
    where fact.date_id < (select max(newest.date_id) from {{ ref('fact_movie_daily') }} as newest)
),

film_day as (
    select
        day.date_id,
        measure.popularity,
        measure.vote_average,
        measure.vote_count
    from day
    cross join {{ ref('dim_movie') }} as movie
    cross join lateral (
        select
            fact.popularity,
            fact.vote_average,
            fact.vote_count
        from {{ ref('fact_movie_daily') }} as fact
        where
            fact.movie_id = movie.movie_id
            and fact.date_id between day.date_id - {{ var('latest_within_days') }} and day.date_id
        order by fact.date_id desc
        limit 1
    ) as measure
    where
        -- gone from TMDB, a film counts no more
        (movie.vanished_on is null or movie.vanished_on > day.date_id)
{{ include('film_conditions') }}
    [[and measure.vote_count >= {{ min_votes }}]]
)
