{{ config(unique_key=['iso_639_1', 'list_date'], meta={'replaces': 'list_date'}) }}

-- an id that a damaged list names twice counts once; a list that names nothing says nothing
select distinct on (landed.snapshot_date, language.iso_639_1)
    language.iso_639_1,
    landed.snapshot_date as list_date,
    language.english_name,
    language.native_name,
    landed.load_id
from {{ landed('language_list') }}
{{ 'left' if is_incremental() else 'inner' }} join lateral (
    select
        {{ json_key('element.sent', 'iso_639_1') }} as iso_639_1,
        {{ json_text('element.sent', 'english_name') }} as english_name,
        {{ json_text('element.sent', 'name') }} as native_name
    from {{ json_elements("landed.payload") }} as element (sent)
) as language on language.iso_639_1 is not null
order by landed.snapshot_date asc, language.iso_639_1 asc, language.english_name desc nulls last
