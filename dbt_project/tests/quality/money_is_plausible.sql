{{ config(severity='warn') }}

select
    movie_id,
    title,
    budget,
    revenue
from {{ ref('dim_movie') }}
where is_budget_suspect or is_revenue_suspect
