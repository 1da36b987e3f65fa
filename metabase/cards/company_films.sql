{{ include('company_totals') }}

select
    company_total.label as "Company",
    company_total.films as "Films",
    company_total.name as "Name"
from company_total
order by company_total.films desc, company_total.votes desc, company_total.company_id asc
limit 15
