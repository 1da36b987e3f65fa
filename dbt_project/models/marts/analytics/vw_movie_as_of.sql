-- Each film's day with what the film was called and said to be on that day, not today.
with fact as (
    select * from {{ ref('fact_movie_daily') }}
),

history as (
    select * from {{ ref('dim_movie_history') }}
)

select
    fact.date_id,
    fact.movie_id,
    fact.popularity,
    fact.vote_average,
    fact.vote_count,
    history.valid_from,
    history.valid_to,
{% for column in descriptive_columns() %}
    history.{{ column }}{{ ',' if not loop.last }}
{% endfor %}
from fact
inner join history
    on
        fact.movie_id = history.movie_id
        and fact.date_id >= history.valid_from
        and (fact.date_id < history.valid_to or history.valid_to is null)
