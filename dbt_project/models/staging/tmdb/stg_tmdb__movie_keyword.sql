{{ config(
    unique_key=['movie_id', 'keywords_hash', 'keyword_id'],
    indexes=[{'columns': ['load_id']}],
    post_hook="{{ drop_withdrawn_versions('keywords_hash') }}"
) }}

select
    version.movie_id,
    version.version_hash as keywords_hash,
    keyword.keyword_id,
    max(keyword.name) as name,
    max(version.load_id) as load_id
from {{ new_versions('keywords') }} as version
cross join lateral {{ json_elements("version.film #> '{keywords,keywords}'") }} as element (sent)
cross join lateral (
    select
        {{ json_id('element.sent') }} as keyword_id,
        {{ json_text('element.sent', 'name') }} as name
) as keyword
where keyword.keyword_id is not null
group by version.movie_id, version.version_hash, keyword.keyword_id
