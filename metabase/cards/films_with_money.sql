-- not through the companies: each film once
select count(*) as "Films"
from {{ ref('vw_movie_latest') }} as movie
where
    not movie.is_stale
    and movie.vanished_on is null
    and movie.budget > 0
    and movie.revenue > 0
    and not movie.is_budget_suspect
    and not movie.is_revenue_suspect
{{ include('company_conditions') }}
