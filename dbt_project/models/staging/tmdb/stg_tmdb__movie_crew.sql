{{ config(
    unique_key=['movie_id', 'credits_hash', 'credit_id'],
    post_hook="{{ drop_withdrawn_versions('credits_hash') }}"
) }}

-- one row a credit_id: a person has one for each job
select
    version.movie_id,
    version.version_hash as credits_hash,
    credit.*,
    version.load_id
from {{ new_versions('credits') }} as version
cross join lateral (
    select distinct on (credit_id) *
    from (
        select
            {{ json_key('element.sent', 'credit_id') }} as credit_id,
            {{ json_text('element.sent', 'department') }} as department,
            {{ json_text('element.sent', 'job') }} as job,
            {{ person_fields('element.sent') }}
        from {{ json_elements("version.film #> '{credits,crew}'") }} as element (sent)
    ) as sent
    where credit_id is not null and person_id is not null
    order by credit_id, person_id, department, job
) as credit
