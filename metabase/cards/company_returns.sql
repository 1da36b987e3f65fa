{{ include('company_totals') }}

select
    company_total.label as "Company",
    round(company_total.revenue::numeric / company_total.budget, 2) as "Revenue to budget",
    company_total.name as "Name"
from company_total
where company_total.films_with_money >= {{ min_films }}
order by company_total.revenue::numeric / company_total.budget desc, company_total.company_id asc
limit 15
