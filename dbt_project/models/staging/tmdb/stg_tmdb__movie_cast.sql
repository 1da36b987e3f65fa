{{ config(
    unique_key=['movie_id', 'credits_hash', 'credit_id'],
    indexes=[{'columns': ['load_id']}],
    post_hook="{{ drop_withdrawn_versions('credits_hash') }}"
) }}

-- one row a credit_id: a person may play several parts, and a damaged list could name one twice
select distinct on (version.movie_id, version.version_hash, credit.credit_id)
    version.movie_id,
    version.version_hash as credits_hash,
    credit.credit_id,
    credit.person_id,
    credit.character_name,
    credit.cast_order,
    {{ person_columns('credit') }},
    version.load_id
from {{ new_versions('credits') }} as version
cross join lateral {{ json_elements("version.film #> '{credits,cast}'") }} as element (sent)
cross join lateral (
    select
        {{ json_text('element.sent', 'credit_id') }} as credit_id,
        {{ json_text('element.sent', 'character') }} as character_name,
        {{ json_integer('element.sent', 'order') }} as cast_order,
        {{ person_fields('element.sent') }}
) as credit
where credit.credit_id is not null and credit.person_id is not null
order by
    version.movie_id,
    version.version_hash,
    credit.credit_id,
    credit.cast_order,
    credit.person_id,
    credit.character_name
