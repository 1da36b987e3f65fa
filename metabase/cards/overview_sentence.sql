{{ include('film_day') }},

total as (
    select
        film_day.date_id,
        count(*) as films,
        avg(film_day.vote_average) as rating,
        avg(film_day.popularity) as popularity
    from film_day
    group by film_day.date_id
),

today as (
    select total.*
    from total
    order by total.date_id desc
    limit 1
),

leader as (
    select movie.title
    from {{ ref('vw_movie_latest') }} as movie
    where
        not movie.is_stale
        and movie.vanished_on is null
{{ include('film_conditions') }}
    [[and movie.vote_count >= {{ min_votes }}]]
    order by movie.popularity desc nulls last, movie.movie_id asc
    limit 1
)

select
    'On ' || trim(to_char(today.date_id, 'FMDD FMMonth YYYY')) || ', '
    || trim(to_char(today.films, '999,999,999')) || ' films are followed, rated '
    || coalesce(round(today.rating, 1)::text, '–') || ' of 10 in the mean; '
    || coalesce(leader.title, 'none') || ' leads'
    || coalesce(', and popularity ' || case
        when today.popularity > before.popularity then 'rose by '
        when today.popularity < before.popularity then 'fell by '
        else 'stayed, by '
    end || round(100 * abs(today.popularity / nullif(before.popularity, 0) - 1), 1) || ' % since the day before', '')
    || '.' as "Today"
from today
left join leader on true
left join total as before on today.date_id > before.date_id
