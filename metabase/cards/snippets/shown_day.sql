-- The days to show: those of the period chosen, else the last so many before the newest. At most 240, evenly
-- spaced and the newest among them: Metabase shows 2,000 rows of a query, and there are up to eight lines.
with measured_day as (
    select
        dim_date.date_id,
        row_number() over (order by dim_date.date_id desc) as place,
        count(*) over () as days
    from {{ ref('dim_date') }}
    inner join {{ ref('vw_measured_day') }} as measured on dim_date.date_id = measured.date_id
    where
        true
        [[and {{ period }}]]
        and (
            dim_date.date_id > (
                select max(newest.date_id) from {{ ref('fact_movie_daily') }} as newest
            ) - {{ days }}::integer
            [[or {{ period }}]]
        )
),

shown_day as (
    select measured_day.date_id
    from measured_day
    where (measured_day.place - 1) % (1 + (measured_day.days - 1) / 240) = 0
)
