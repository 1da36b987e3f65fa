{{ config(
    unique_key=['movie_id', 'credits_hash', 'credit_id'],
    post_hook="{{ drop_withdrawn_versions('credits_hash') }}"
) }}

-- one row a credit_id: a person may play several parts, and a damaged list could name one twice
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
            {{ json_text('element.sent', 'character') }} as character_name,
            {{ json_integer('element.sent', 'order') }} as cast_order,
            {{ person_fields('element.sent') }}
        from {{ json_elements("version.film #> '{credits,cast}'") }} as element (sent)
    ) as sent
    where credit_id is not null and person_id is not null
    order by credit_id, cast_order, person_id, character_name
) as credit
