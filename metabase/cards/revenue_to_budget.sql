-- not through the companies: each film once
select round(sum(movie.revenue)::numeric / nullif(sum(movie.budget), 0), 2) as "Revenue to budget"
from {{ ref('vw_movie_latest') }} as movie
where
    not movie.is_stale
    and movie.vanished_on is null
    and movie.budget > 0
    and movie.revenue > 0
    and not movie.is_budget_suspect
    and not movie.is_revenue_suspect
{{ include('company_conditions') }}
