{{ config(severity='warn') }}

-- a rating of 0 with votes is possible; votes without a rating are not
select
    date_id,
    movie_id,
    vote_average,
    vote_count
from {{ ref('fact_movie_daily') }}
where vote_count > 0 and vote_average is null and {{ new_loads() }}
