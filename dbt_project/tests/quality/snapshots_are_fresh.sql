{{ config(severity='warn') }}

select max(date_id) as newest
from {{ ref('fact_movie_daily') }}
having max(date_id) < current_date - 2
