{{ config(
    unique_key=['movie_id', 'translations_hash', 'iso_639_1', 'iso_3166_1'],
    post_hook="{{ drop_withdrawn_versions('translations_hash') }}"
) }}

select
    version.movie_id,
    version.version_hash as translations_hash,
    translation.iso_639_1,
    translation.iso_3166_1,
    max(translation.title) as title,
    max(translation.overview) as overview,
    max(translation.tagline) as tagline,
    max(version.load_id) as load_id
from {{ new_versions('translations') }} as version
cross join lateral {{ json_elements("version.film #> '{translations,translations}'") }} as element (sent)
cross join lateral (select element.sent -> 'data' as texts) as said
cross join lateral (
    select
        {{ json_key('element.sent', 'iso_639_1') }} as iso_639_1,
        coalesce({{ json_key('element.sent', 'iso_3166_1') }}, '') as iso_3166_1,
        {{ json_text('said.texts', 'title') }} as title,
        {{ json_text('said.texts', 'overview') }} as overview,
        {{ json_text('said.texts', 'tagline') }} as tagline
) as translation
where translation.iso_639_1 is not null
group by version.movie_id, version.version_hash, translation.iso_639_1, translation.iso_3166_1
