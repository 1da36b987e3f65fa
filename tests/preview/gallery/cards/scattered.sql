select
    'Film ' || number as "Film",
    (date '1990-01-01' + number * 60) as "Released",
    power(10, 4 + number % 6) as "Revenue"
from generate_series(1, 200) as number
