{{ config(
    unique_key=['movie_id', 'keywords_hash', 'keyword_id'],
    post_hook="{{ drop_withdrawn_versions('keywords_hash') }}"
) }}

select
    version.movie_id,
    version.version_hash as keywords_hash,
    keyword.keyword_id,
    keyword.name,
    version.load_id
from {{ new_versions('keywords') }} as version
cross join lateral (
    select distinct on (keyword_id) *
    from (
        select
            {{ json_id('element.sent') }} as keyword_id,
            {{ json_text('element.sent', 'name') }} as name
        from {{ json_elements("version.film #> '{keywords,keywords}'") }} as element (sent)
    ) as sent
    where keyword_id is not null
    order by keyword_id asc, name desc nulls last
) as keyword
