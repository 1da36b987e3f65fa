with {{ current_movies() }},

movie_company as (
    select * from {{ ref('bridge_movie_company') }}
),

company as (
    select * from {{ ref('dim_company') }}
)

select
    company.company_id,
    company.name as company_name,
    company.origin_country,
    {{ group_measures('current_movie') }},
    {{ group_money('movie') }}
from current_movie
inner join movie on current_movie.movie_id = movie.movie_id
inner join movie_company on current_movie.movie_id = movie_company.movie_id
inner join company on movie_company.company_id = company.company_id
cross join rating_prior
group by company.company_id, company.name, company.origin_country
