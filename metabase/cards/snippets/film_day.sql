-- the newest snapshot date and the one before, each with every film's measures as they stood at its end:
-- those of its last snapshot, if that is not stale
with newest_day as (
    select max(fact.date_id) as date_id
    from {{ ref('fact_movie_daily') }} as fact
),

day_before as (
    select max(fact.date_id) as date_id
    from {{ ref('fact_movie_daily') }} as fact
    where fact.date_id < (select newest_day.date_id from newest_day)
),

-- a part for each day: Citus takes no lateral join by film and by day
film_day as (
    select measure.*
    from {{ ref('dim_movie') }} as movie
    cross join lateral (
        (
            select
                (select newest_day.date_id from newest_day) as date_id,
                fact.popularity,
                fact.vote_average,
                fact.vote_count
            from {{ ref('fact_movie_daily') }} as fact
            where
                fact.movie_id = movie.movie_id
                and fact.date_id >= (select newest_day.date_id - {{ var('latest_within_days') }} from newest_day)
            order by fact.date_id desc
            limit 1
        )
        union all
        (
            select
                (select day_before.date_id from day_before) as date_id,
                fact.popularity,
                fact.vote_average,
                fact.vote_count
            from {{ ref('fact_movie_daily') }} as fact
            where
                fact.movie_id = movie.movie_id
                and fact.date_id >= (select day_before.date_id - {{ var('latest_within_days') }} from day_before)
                and fact.date_id <= (select day_before.date_id from day_before)
            order by fact.date_id desc
            limit 1
        )
    ) as measure
    where
        -- gone from TMDB, a film counts no more
        (movie.vanished_on is null or movie.vanished_on > measure.date_id)
{{ include('film_conditions') }}
    [[and measure.vote_count >= {{ min_votes }}]]
)
