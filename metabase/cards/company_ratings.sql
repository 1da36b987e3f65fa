{{ include('company_totals') }}

select
    company_total.label as "Company",
    round(company_total.weighted_rating, 2) as "Weighted rating",
    company_total.name as "Name"
from company_total
where company_total.rating is not null
order by company_total.weighted_rating desc, company_total.votes desc, company_total.company_id asc
limit 15
