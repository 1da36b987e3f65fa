{{ include('company_totals') }},

most as (
    select company_total.name, company_total.films
    from company_total
    order by company_total.films desc, company_total.votes desc, company_total.company_id asc
    limit 1
),

best as (
    select company_total.name, company_total.weighted_rating
    from company_total
    where company_total.rating is not null
    order by company_total.weighted_rating desc, company_total.votes desc, company_total.company_id asc
    limit 1
),

dearest as (
    select
        company_total.name,
        round(company_total.revenue::numeric / company_total.budget, 1) as ratio
    from company_total
    where company_total.films_with_money >= {{ min_films }} and company_total.budget > 0
    order by company_total.revenue::numeric / company_total.budget desc, company_total.company_id asc
    limit 1
)

select
    'Of ' || (select count(*) from company_total) || ' companies, ' || most.name || ' has the most films ('
    || most.films || '), ' || coalesce(
        best.name || ' is rated best (' || round(best.weighted_rating, 2) || ' of 10, weighted)', 'none is rated'
    )
    || coalesce(
        ', and ' || dearest.name || ' earned most for what it spent (' || dearest.ratio || ' times its budgets)', ''
    )
    || '.' as "Which companies lead"
from most
left join best on true
left join dearest on true
