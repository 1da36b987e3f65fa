select film.name as "Film", film.revenue as "Revenue"
from (values ('Largest', 2923706026), ('Middle', 950000000), ('Least', 45000000)) as film (name, revenue)
