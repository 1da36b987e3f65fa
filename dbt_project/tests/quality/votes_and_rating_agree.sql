{{ config(severity='warn') }}

-- a rating of 0 with votes is possible; votes without a rating are not
select
    movie_id,
    snapshot_date,
    vote_average,
    vote_count
from {{ ref('stg_tmdb__movie_snapshot') }}
where vote_count > 0 and vote_average is null and {{ landed_lately() }}
