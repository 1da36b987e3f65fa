-- one row a credit_id: a person has one for each job
select
    response.resource_id as movie_id,
    response.snapshot_date,
    credit.credit_id,
    credit.person_id,
    credit.department,
    credit.job,
    credit.name,
    credit.original_name,
    credit.gender,
    credit.known_for_department,
    credit.profile_path,
    response.load_id
from {{ ref('base_tmdb__response') }} as response
cross join lateral (
    select distinct on (element.value ->> 'credit_id')
        element.value ->> 'credit_id' as credit_id,
        {{ json_text("(element.value ->> 'department')") }} as department,
        {{ json_text("(element.value ->> 'job')") }} as job,
        {{ person_fields('element.value') }}
    from {{ json_elements("(response.payload -> 'credits' -> 'crew')") }} as element (value)
    order by element.value ->> 'credit_id', person_id, department, job
) as credit
where
    response.resource = 'movie'
    and response.payload ? 'credits'
    and response.http_status = 200
    and credit.credit_id <> ''
    and credit.person_id is not null
