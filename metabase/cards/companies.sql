{{ include('company_totals') }}

select count(*) as "Companies"
from company_total
