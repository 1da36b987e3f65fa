select company.name as "Company", company.films as "Films"
from (values
    ('Pinnacle International Motion Picture Corporation of North America · 24', 30),
    ('Pinnacle International Motion Picture Corporation of North America · 31', 20),
    ('The Extraordinarily Long-Winded Company of Eastern Films and Series', 12),
    ('The Extraordinarily Long-Winded Company of Western Films and Series', 9),
    ('Short', 3),
    ('Short', 1)
) as company (name, films)
