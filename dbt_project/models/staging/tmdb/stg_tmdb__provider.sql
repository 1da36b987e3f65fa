{{ config(unique_key=['provider_id', 'list_date'], meta={'replaces': 'list_date'}) }}

select distinct on (landed.snapshot_date, provider.provider_id)
    provider.provider_id,
    landed.snapshot_date as list_date,
    provider.name,
    provider.logo_path,
    landed.load_id
from {{ landed('watch_provider_list') }}
{{ 'left' if is_incremental() else 'inner' }} join lateral (
    select
        {{ json_id('element.sent', 'provider_id') }} as provider_id,
        {{ json_text('element.sent', 'provider_name') }} as name,
        {{ json_text('element.sent', 'logo_path') }} as logo_path
    from {{ json_elements("landed.payload -> 'results'") }} as element (sent)
) as provider on provider.provider_id is not null
order by
    landed.snapshot_date asc, provider.provider_id asc, provider.name desc nulls last,
    provider.logo_path desc nulls last
