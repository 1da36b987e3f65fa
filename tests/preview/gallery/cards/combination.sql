select
    day::date as "Day",
    100 + extract(day from day)::integer as "Films",
    6.5 + extract(day from day)::numeric / 50 as "Mean rating"
from generate_series(date '2025-03-01', date '2025-03-20', interval '1 day') as day
order by day
