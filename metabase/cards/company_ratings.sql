{{ include('company_totals') }}

select
    company_total.label as "Company",
    round(company_total.rating, 2) as "Mean rating"
from company_total
where company_total.rating is not null
order by company_total.rating desc, company_total.votes desc, company_total.company_id asc
limit 15
