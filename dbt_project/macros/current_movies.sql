{#-
    The CTEs `current_movie`, a row per film that is not stale with its last measures, and `rating_prior`, the mean rating that
    a film is given in advance by weighted_rating.
-#}
{% macro current_movies() %}
current_movie as (
    select
        movie_id,
        date_id,
        popularity,
        vote_average,
        vote_count
    from {{ ref('agg_movie_trend') }}
    where date_id >= (select max(newest.date_id) from {{ ref('agg_movie_trend') }} as newest) - {{ var('latest_within_days') }}
),

rating_prior as (
    select avg(vote_average) as mean_rating
    from current_movie
)
{%- endmacro %}

{#-
    Bayesian rating of what has received `votes` votes that sum up to `points`: as if `rating_prior_votes` more people had voted the
    mean of all rated films. Few votes say little, so that 10.0 by three voters does not rank above 8.4 by 30,000.
    NULL where nobody has voted.
-#}
{% macro weighted_rating(points, votes) -%}
    (
        ({{ points }} + {{ var('rating_prior_votes') }} * (select mean_rating from rating_prior))
        / ({{ votes }} + {{ var('rating_prior_votes') }})
    )::numeric(5, 3)
{%- endmacro %}

{#- What is said of every group of films; `movie`: alias of rows of current_movie, each film once a group. -#}
{% macro group_measures(movie) -%}
    count(*)::bigint as movie_count,
    avg({{ movie }}.popularity)::numeric(14, 6) as avg_popularity,
    sum({{ movie }}.vote_count)::bigint as total_votes,
    avg({{ movie }}.vote_average)::numeric(5, 3) as avg_rating,
    {{ weighted_rating(
        'sum(' ~ movie ~ '.vote_average * ' ~ movie ~ '.vote_count)',
        'sum(' ~ movie ~ '.vote_count)'
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
