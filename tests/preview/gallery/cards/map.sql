select place.code as "Code", place.name as "Country", place.films as "Films"
from (values
    ('US', 'United States', 900), ('FR', 'France', 120), ('GF', 'French Guiana', 1), ('BR', 'Brazil', 0), ('LU', 'Luxembourg', 7),
    ('HK', 'Hong Kong', 60), ('AR', 'Argentina', 1), ('SJ', 'Svalbard', 3), ('NO', 'Norway', 20)
) as place (code, name, films)
order by place.films desc
