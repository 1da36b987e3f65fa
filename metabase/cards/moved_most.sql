-- of the films measured on both of the last two snapshot dates
with last_day as (
    select max(fact.date_id) as date_id
    from {{ ref('fact_movie_daily') }} as fact
),

day_before as (
    select max(fact.date_id) as date_id
    from {{ ref('fact_movie_daily') }} as fact
    where fact.date_id < (select last_day.date_id from last_day)
)

select
    movie.title as "Film",
    round(before.popularity, 1) as "The day before",
    round(now.popularity, 1) as "Popularity",
    round(now.popularity - before.popularity, 1) as "Change",
    round(100 * (now.popularity - before.popularity) / nullif(before.popularity, 0), 1) as "Change in %",
    now.movie_id as "TMDB id"
from {{ ref('fact_movie_daily') }} as now
inner join {{ ref('fact_movie_daily') }} as before on now.movie_id = before.movie_id
inner join {{ ref('dim_movie') }} as movie on now.movie_id = movie.movie_id
where
    now.date_id = (select last_day.date_id from last_day)
    and before.date_id = (select day_before.date_id from day_before)
{{ include('film_conditions') }}
    [[and now.vote_count >= {{ min_votes }}]]
order by abs(now.popularity - before.popularity) desc nulls last, now.movie_id asc
limit 10
