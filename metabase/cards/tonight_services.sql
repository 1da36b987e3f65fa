{{ include('tonight') }}

select
    coalesce(provider.name, 'Provider ' || provider.provider_id) as "Service",
    count(distinct candidate.movie_id) as "Films"
from candidate
inner join offered on candidate.movie_id = offered.movie_id
inner join {{ ref('dim_provider') }} as provider on offered.provider_id = provider.provider_id
group by provider.provider_id, provider.name
order by count(distinct candidate.movie_id) desc, provider.provider_id asc
limit 10
