{#-
    CTEs on the films of today. `newest`: the day of the newest snapshot of all. `current_movie`: a row per film that is neither stale
    (last seen more than latest_within_days before that day) nor gone from TMDB, with its last measures; only these are ranked, counted and
    averaged. `rating_prior`: the mean rating that a film is given in advance by weighted_rating.
-#}
{% macro current_movies() %}
trend as not materialized (
    select * from {{ ref('agg_movie_trend') }}
),

movie as not materialized (
    select * from {{ ref('dim_movie') }}
),

newest as (
    select max(date_id) as date_id
    from trend
),

current_movie as {{ read_once() }} (
    select trend.*
    from trend
    inner join movie on trend.movie_id = movie.movie_id
    cross join newest
    where trend.date_id >= newest.date_id - {{ var('latest_within_days') }} and movie.vanished_on is null
),

rating_prior as (
    select avg(vote_average) as mean_rating
    from current_movie
)
{%- endmacro %}

{#-
    Bayesian rating of what has received `votes` votes that sum up to `points`: as if `rating_prior_votes` more people had voted the
    mean of all rated films. Few votes say little, so that 10.0 by three voters does not rank above 8.4 by 30,000.
    NULL where nobody has voted. Beside it, `rating_prior` must be cross joined; in a query with groups, pass its maximum.
-#}
{% macro weighted_rating(points, votes, mean_rating='rating_prior.mean_rating') -%}
    (
        ({{ points }} + {{ var('rating_prior_votes') }} * {{ mean_rating }})
        / ({{ votes }} + {{ var('rating_prior_votes') }}::bigint)
    )::numeric(5, 3)
{%- endmacro %}

{#- By how many percent a measure has changed; NULL where it was next to nothing before, so that the percents would fit no column. -#}
{% macro percent_change(now, before) -%}
    case when {{ now }} < 100000000000 * {{ before }} then round(100 * ({{ now }} / {{ before }} - 1), 1) end::numeric(14, 1)
{%- endmacro %}

{#- What is said of every group of films, each film once a group; `movie`: alias of rows of current_movie, beside rating_prior. -#}
{% macro group_measures(movie) -%}
    count(*)::bigint as movie_count,
    avg({{ movie }}.popularity)::numeric(14, 6) as avg_popularity,
    sum({{ movie }}.vote_count)::bigint as total_votes,
    avg({{ movie }}.vote_average)::numeric(5, 3) as avg_rating,
    {{ weighted_rating(
        'sum(' ~ movie ~ '.vote_average * ' ~ movie ~ '.vote_count)',
        'sum(' ~ movie ~ '.vote_count)',
        'max(rating_prior.mean_rating)'
    ) }} as weighted_rating
{%- endmacro %}

{#- Sums of money of a group of films: only of what is known and plausible, and of how many films that is; `movie`: alias of dim_movie. -#}
{% macro group_money(movie) -%}
    sum({{ movie }}.budget) filter (where not {{ movie }}.is_budget_suspect)::bigint as total_budget,
    count({{ movie }}.budget) filter (where not {{ movie }}.is_budget_suspect)::bigint as budget_movie_count,
    sum({{ movie }}.revenue) filter (where not {{ movie }}.is_revenue_suspect)::bigint as total_revenue,
    count({{ movie }}.revenue) filter (where not {{ movie }}.is_revenue_suspect)::bigint as revenue_movie_count,
    count(*) filter (where {{ movie }}.is_budget_suspect or {{ movie }}.is_revenue_suspect)::bigint as suspect_money_count
{%- endmacro %}
