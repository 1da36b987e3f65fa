{{ include('shown_day') }},

-- the eight genres with the most films, so that the lines can be told apart
leading_genre as (
    select
        popular.genre_id,
        popular.genre_name as name
    from {{ ref('vw_genre_popularity') }} as popular
    order by popular.movie_count desc, popular.genre_id asc
    limit 8
)

select
    fact.date_id as "Day",
    leading_genre.name as "Genre",
    round(avg(fact.popularity), 1) as "Mean popularity"
from shown_day
inner join {{ ref('fact_movie_daily') }} as fact on shown_day.date_id = fact.date_id
inner join {{ ref('dim_movie') }} as movie on fact.movie_id = movie.movie_id
inner join {{ ref('bridge_movie_genre') }} as of_genre on fact.movie_id = of_genre.movie_id
inner join leading_genre on of_genre.genre_id = leading_genre.genre_id
where
    true
{{ include('place_conditions') }}
    [[and fact.vote_count >= {{ min_votes }}]]
group by fact.date_id, leading_genre.name
order by fact.date_id, leading_genre.name
