{{ config(
    unique_key=['date_id', 'genre_id'],
    indexes=[{'columns': ['genre_id', 'date_id']}],
    meta={'replaces': 'date_id', 'distribution': 'genre_id'}
) }}

with changed_date as (
    select distinct snapshot_date as date_id
    from {{ ref('stg_tmdb__movie_snapshot') }}
    where {{ is_new() }}
),

fact as (
    select * from {{ ref('fact_movie_daily') }}
    {% if is_incremental() and not is_rebuild() %}
        -- a day's facts are looked up, not found among all
        where
            date_id >= (select min(changed_date.date_id) from changed_date)
            and date_id <= (select max(changed_date.date_id) from changed_date)
    {% endif %}
),

version as (
    select * from {{ ref('stg_tmdb__movie_version') }}
),

genre as (
    select * from {{ ref('dim_genre') }}
),

-- a film counts on each day for the genres that it had on that day
measured as (
    select
        fact.date_id,
        genre.genre_id,
        count(*)::bigint as movie_count,
        avg(fact.popularity)::numeric(14, 6) as avg_popularity,
        sum(fact.vote_count)::bigint as total_votes,
        avg(fact.vote_average)::numeric(5, 3) as avg_rating,
        max(fact.load_id) as load_id
    from fact
    inner join changed_date on fact.date_id = changed_date.date_id
    inner join version
        on
            fact.movie_id = version.movie_id
            and fact.content_hash = version.content_hash
    cross join lateral unnest(version.genre_ids) as sent (genre_id)
    inner join genre on sent.genre_id = genre.genre_id
    group by fact.date_id, genre.genre_id
)

select
    changed_date.date_id,
    measured.genre_id,
    measured.movie_count,
    measured.avg_popularity,
    measured.total_votes,
    measured.avg_rating,
    measured.load_id
from changed_date
{{ 'left' if is_incremental() else 'inner' }} join measured on changed_date.date_id = measured.date_id
