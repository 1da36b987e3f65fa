{#-
    The CTE `latest_snapshot`: each film's last row of fact_movie_daily, and whether it is stale (older than
    latest_within_days, counted from the newest snapshot of all).

    A macro and not a view of its own: rebuilding a view drops the views that read it. It walks the films and takes each
    one's last fact by the index on (movie_id, date_id desc), so its cost is that of the films, not of the history.
-#}
{% macro latest_snapshots() %}
latest_snapshot as (
    select
        movie.movie_id,
        last_fact.date_id,
        last_fact.popularity,
        last_fact.vote_average,
        last_fact.vote_count,
        last_fact.date_id < (
            select max(newest.date_id) from {{ ref('fact_movie_daily') }} as newest
        ) - {{ var('latest_within_days') }} as is_stale
    from {{ ref('dim_movie') }} as movie
    cross join lateral (
        select
            fact.date_id,
            fact.popularity,
            fact.vote_average,
            fact.vote_count
        from {{ ref('fact_movie_daily') }} as fact
        where fact.movie_id = movie.movie_id
        order by fact.date_id desc
        limit 1
    ) as last_fact
)
{%- endmacro %}
