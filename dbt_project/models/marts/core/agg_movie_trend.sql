{{ config(
    unique_key='movie_id',
    meta={'delete_when': 'new_row.date_id is null'}
) }}

with changed_movie as (
    select distinct movie_id
    from {{ ref('stg_tmdb__movie_snapshot') }}
    where {{ is_new() }}
),

fact as not materialized (
    select * from {{ ref('fact_movie_daily') }}
)

-- What a film is compared with is its last snapshot that is at least N days older, at most twice as many:
-- where a day was missed, that is the day before, and where there is none, nothing is.
select
    changed_movie.movie_id,
    last_fact.date_id,
    last_fact.popularity,
    last_fact.vote_average,
    last_fact.vote_count,
    {% for days in [1, 7, 30] %}
        fact_{{ days }}d.date_id as date_id_{{ days }}d,
        fact_{{ days }}d.popularity as popularity_{{ days }}d,
        fact_{{ days }}d.vote_average as vote_average_{{ days }}d,
        fact_{{ days }}d.vote_count as vote_count_{{ days }}d,
    {% endfor %}
    last_fact.load_id
from changed_movie
{{ 'left' if is_incremental() else 'inner' }} join lateral (
    select fact.*
    from fact
    where fact.movie_id = changed_movie.movie_id
    order by fact.date_id desc
    limit 1
) as last_fact on true
{% for days in [1, 7, 30] %}
    left join lateral (
        select fact.*
        from fact
        where
            fact.movie_id = changed_movie.movie_id
            and fact.date_id between last_fact.date_id - {{ 2 * days }} and last_fact.date_id - {{ days }}
        order by fact.date_id desc
        limit 1
    ) as fact_{{ days }}d on true
{% endfor %}
