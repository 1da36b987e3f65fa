-- the films of the companies shown, each once
select
    movie.title as "Film",
    movie.release_date as "Released",
    movie.vote_average as "Rating",
    movie.vote_count as "Votes",
    case when not movie.is_budget_suspect then nullif(movie.budget, 0) end as "Budget",
    case when not movie.is_revenue_suspect then nullif(movie.revenue, 0) end as "Revenue",
    movie.movie_id as "TMDB id"
from {{ ref('vw_movie_latest') }} as movie
where
    not movie.is_stale
    and movie.vanished_on is null
{{ include('company_conditions') }}
order by movie.vote_count desc nulls last, movie.movie_id asc
limit 100
