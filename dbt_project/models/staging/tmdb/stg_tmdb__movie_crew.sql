{{ config(
    unique_key=['movie_id', 'credits_hash', 'credit_id'],
    indexes=[{'columns': ['load_id']}],
    post_hook="{{ drop_withdrawn_versions('credits_hash') }}"
) }}

-- one row a credit_id: a person has one for each job
select distinct on (version.movie_id, version.version_hash, credit.credit_id)
    version.movie_id,
    version.version_hash as credits_hash,
    credit.credit_id,
    credit.person_id,
    credit.department,
    credit.job,
    {{ person_columns('credit') }},
    version.load_id
from {{ new_versions('credits') }} as version
cross join lateral {{ json_elements("version.film #> '{credits,crew}'") }} as element (sent)
cross join lateral (
    select
        {{ json_text('element.sent', 'credit_id') }} as credit_id,
        {{ json_text('element.sent', 'department') }} as department,
        {{ json_text('element.sent', 'job') }} as job,
        {{ person_fields('element.sent') }}
) as credit
where credit.credit_id is not null and credit.person_id is not null
order by
    version.movie_id, version.version_hash, credit.credit_id, credit.person_id, credit.department, credit.job
