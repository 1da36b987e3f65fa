{{ config(
    unique_key=['movie_id', 'external_ids_hash', 'source'],
    post_hook="{{ drop_withdrawn_versions('external_ids_hash') }}"
) }}

-- {"imdb_id": …, "wikidata_id": …}; whichever sites TMDB knows
select
    version.movie_id,
    version.version_hash as external_ids_hash,
    regexp_replace(site.field, '_id$', '') as source,
    sent.external_id,
    version.load_id
from {{ new_versions('external_ids') }} as version
cross join lateral {{ json_fields("version.film -> 'external_ids'") }}
    as site (field, value)
cross join lateral (
    select {{ json_key('site.value', longest=400) }} as external_id
) as sent
where site.field like '_%\_id' and length(site.field) <= 40 and sent.external_id is not null
