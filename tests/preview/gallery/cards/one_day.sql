select date '2025-01-01' as "Day", 40 as "Films"
