with {{ current_movies() }}

select
    company.company_id,
    company.name as company_name,
    company.origin_country,
    {{ group_measures('current_movie') }},
    {{ group_money('movie') }}
from current_movie
inner join {{ ref('dim_movie') }} as movie on current_movie.movie_id = movie.movie_id
inner join {{ ref('bridge_movie_company') }} as movie_company
    on current_movie.movie_id = movie_company.movie_id
inner join {{ ref('dim_company') }} as company on movie_company.company_id = company.company_id
group by company.company_id, company.name, company.origin_country
