{{ config(
    unique_key=['movie_id', 'watch_providers_hash', 'iso_3166_1', 'provider_id', 'offer_type'],
    post_hook="{{ drop_withdrawn_versions('watch_providers_hash') }}"
) }}

-- {country: {"link": …, kind of offer: [provider, …]}}; whichever kinds TMDB has
select
    version.movie_id,
    version.version_hash as watch_providers_hash,
    country.iso_3166_1,
    provider.provider_id,
    offer.offer_type,
    max(provider.name) as name,
    max(provider.logo_path) as logo_path,
    min(provider.display_priority) as display_priority,
    max(version.load_id) as load_id
from {{ new_versions('watch_providers') }} as version
cross join lateral {{ json_fields("version.film #> '{watch/providers,results}'") }}
    as country (iso_3166_1, offers)
cross join lateral {{ json_fields('country.offers') }} as offer (offer_type, providers)
cross join lateral {{ json_elements('offer.providers') }} as element (sent)
cross join lateral (
    select
        {{ json_id('element.sent', 'provider_id') }} as provider_id,
        {{ json_text('element.sent', 'provider_name') }} as name,
        {{ json_text('element.sent', 'logo_path') }} as logo_path,
        {{ json_integer('element.sent', 'display_priority') }} as display_priority
) as provider
where
    provider.provider_id is not null
    and length(country.iso_3166_1) between 1 and 40
    and length(offer.offer_type) between 1 and 40
group by
    version.movie_id, version.version_hash, country.iso_3166_1, provider.provider_id, offer.offer_type
