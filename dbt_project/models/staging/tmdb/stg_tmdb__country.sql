{{ config(unique_key=['iso_3166_1', 'list_date'], meta={'replaces': 'list_date'}) }}

-- an id that a damaged list names twice counts once; a list that names nothing says nothing
select distinct on (landed.snapshot_date, country.iso_3166_1)
    country.iso_3166_1,
    landed.snapshot_date as list_date,
    country.english_name,
    country.native_name,
    landed.load_id
from {{ landed('country_list') }}
{{ 'left' if is_incremental() else 'inner' }} join lateral (
    select
        {{ json_key('element.sent', 'iso_3166_1') }} as iso_3166_1,
        {{ json_text('element.sent', 'english_name') }} as english_name,
        {{ json_text('element.sent', 'native_name') }} as native_name
    from {{ json_elements("landed.payload") }} as element (sent)
) as country on country.iso_3166_1 is not null
order by landed.snapshot_date asc, country.iso_3166_1 asc, country.english_name desc nulls last
