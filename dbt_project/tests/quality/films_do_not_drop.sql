{{ config(severity='warn') }}

with fact as not materialized (
    select * from {{ ref('fact_movie_daily') }}
),

daily as (
    select
        date_id,
        count(*) as movie_count
    from fact
    where date_id >= (select max(newest.date_id) from fact as newest) - 7
    group by date_id
),

compared as (
    select
        date_id,
        movie_count,
        avg(movie_count) over (
            order by date_id
            rows between unbounded preceding and 1 preceding
        ) as movie_count_before,
        row_number() over (order by date_id desc) as recency
    from daily
)

select
    date_id,
    movie_count,
    movie_count_before::numeric(12, 1) as movie_count_before
from compared
where recency = 1 and movie_count < 0.7 * movie_count_before
