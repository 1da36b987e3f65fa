with genre_daily as (
    select * from {{ ref('agg_genre_daily') }}
),

genre as (
    select * from {{ ref('dim_genre') }}
)

-- the same rule as for films: compared with the last day that is at least N and at most 2 N days older
select
    genre_daily.genre_id,
    genre.name as genre_name,
    genre_daily.date_id,
    genre_daily.movie_count,
    genre_daily.avg_popularity,
    genre_daily.total_votes,
    genre_daily.avg_rating,
    last_value(genre_daily.date_id) over week_before as compared_with_7d,
    (genre_daily.avg_popularity - last_value(genre_daily.avg_popularity) over week_before)::numeric(14, 6)
        as avg_popularity_change_7d,
    last_value(genre_daily.date_id) over month_before as compared_with_30d,
    (genre_daily.avg_popularity - last_value(genre_daily.avg_popularity) over month_before)::numeric(14, 6)
        as avg_popularity_change_30d
from genre_daily
inner join genre on genre_daily.genre_id = genre.genre_id
window
    week_before as (
        partition by genre_daily.genre_id
        order by genre_daily.date_id
        range between interval '14 days' preceding and interval '7 days' preceding
    ),
    month_before as (
        partition by genre_daily.genre_id
        order by genre_daily.date_id
        range between interval '60 days' preceding and interval '30 days' preceding
    )
