{{ config(
    unique_key=['movie_id', 'alternative_titles_hash', 'iso_3166_1', 'title'],
    post_hook="{{ drop_withdrawn_versions('alternative_titles_hash') }}"
) }}

select
    version.movie_id,
    version.version_hash as alternative_titles_hash,
    alternative.iso_3166_1,
    alternative.title,
    max(alternative.title_type) as title_type,
    max(version.load_id) as load_id
from {{ new_versions('alternative_titles') }} as version
cross join lateral {{ json_elements("version.film #> '{alternative_titles,titles}'") }} as element (sent)
cross join lateral (
    select
        coalesce({{ json_key('element.sent', 'iso_3166_1') }}, '') as iso_3166_1,
        {{ json_key('element.sent', 'title', longest=400) }} as title,
        {{ json_text('element.sent', 'type') }} as title_type
) as alternative
where alternative.title is not null
group by version.movie_id, version.version_hash, alternative.iso_3166_1, alternative.title
