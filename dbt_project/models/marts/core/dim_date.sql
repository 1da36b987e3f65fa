{{ config(unique_key='date_id') }}

with snapshot as (
    select
        min(snapshot_date) as first_date,
        max(snapshot_date) as last_date
    from {{ ref('stg_tmdb__movie_snapshot') }}
    where {{ is_new() }}
),

-- whole years, from the first date to the end of next year, and any snapshot outside of that
spine as (
    select day.day::date as date_id
    from snapshot
    cross join lateral generate_series(
        date_trunc('year', least(snapshot.first_date, '{{ var("first_date") }}'::date)::timestamp),
        date_trunc('year', greatest(snapshot.last_date, current_date + interval '1 year')::timestamp)
        + interval '1 year - 1 day',
        interval '1 day'
    ) as day (day)
)

select
    date_id,
    extract(year from date_id)::integer as year,
    extract(quarter from date_id)::integer as quarter,
    extract(month from date_id)::integer as month,
    to_char(date_id, 'FMMonth') as month_name,
    extract(day from date_id)::integer as day_of_month,
    extract(doy from date_id)::integer as day_of_year,
    extract(isoyear from date_id)::integer as iso_year,
    extract(week from date_id)::integer as iso_week,
    extract(isodow from date_id)::integer as iso_weekday,
    to_char(date_id, 'FMDay') as weekday_name,
    extract(isodow from date_id) >= 6 as is_weekend
from spine
