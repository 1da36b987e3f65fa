-- films measured on the day; the eight genres with the most films
with leading_genre as (
    select
        genre.genre_id,
        genre.name
    from {{ ref('vw_genre_popularity') }} as popular
    inner join {{ ref('dim_genre') }} as genre on popular.genre_id = genre.genre_id
    order by popular.movie_count desc, genre.genre_id asc
    limit 8
)

select
    fact.date_id as "Day",
    leading_genre.name as "Genre",
    count(*) as "Films"
from {{ ref('fact_movie_daily') }} as fact
inner join {{ ref('dim_movie') }} as movie on fact.movie_id = movie.movie_id
inner join {{ ref('bridge_movie_genre') }} as of_genre on fact.movie_id = of_genre.movie_id
inner join leading_genre on of_genre.genre_id = leading_genre.genre_id
where
    fact.date_id > (
        select max(newest.date_id) from {{ ref('fact_movie_daily') }} as newest
    ) - {{ days }}::integer
{{ include('place_conditions') }}
    [[and fact.vote_count >= {{ min_votes }}]]
group by fact.date_id, leading_genre.name
order by fact.date_id, leading_genre.name
