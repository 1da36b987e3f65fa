{{ include('company_totals') }}

select
    company_total.name as "Company",
    country.name as "Country",
    company_total.films as "Films",
    round(company_total.rating, 2) as "Mean rating",
    round(company_total.weighted_rating, 2) as "Weighted rating",
    round(company_total.popularity, 1) as "Mean popularity",
    company_total.votes as "Votes",
    company_total.films_with_money as "Films with money",
    company_total.budget as "Budget",
    company_total.revenue as "Revenue",
    round(company_total.revenue::numeric / company_total.budget, 2) as "Revenue to budget",
    company_total.company_id as "TMDB id"
from company_total
left join {{ ref('dim_country') }} as country on company_total.origin_country = country.iso_3166_1
order by company_total.films desc, company_total.votes desc, company_total.company_id asc
limit 200
