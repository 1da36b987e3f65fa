{{ include('chosen_film') }},

-- the newest days, where there are more than the rows that Metabase shows
newest_day as (
    select
        fact.date_id,
        fact.vote_average
    from film
    inner join {{ ref('fact_movie_daily') }} as fact on film.movie_id = fact.movie_id
    where
        true
        [[and exists (
            select 1
            from {{ ref('dim_date') }}
            where dim_date.date_id = fact.date_id and {{ period }}
        )]]
    order by fact.date_id desc
    limit 2000
)

select
    newest_day.date_id as "Day",
    newest_day.vote_average as "Rating"
from newest_day
order by newest_day.date_id
