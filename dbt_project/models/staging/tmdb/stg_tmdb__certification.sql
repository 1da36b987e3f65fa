{{ config(unique_key=['iso_3166_1', 'certification', 'list_date'], meta={'replaces': 'list_date'}) }}

-- {"certifications": {country: [{"certification", "meaning", "order"}, …]}}
select distinct on (landed.snapshot_date, certification.iso_3166_1, certification.certification)
    certification.iso_3166_1,
    certification.certification,
    landed.snapshot_date as list_date,
    certification.meaning,
    certification.certification_order,
    landed.load_id
from {{ landed('certification_list') }}
{{ 'left' if is_incremental() else 'inner' }} join lateral (
    select
        element.iso_3166_1,
        {{ json_key('element.sent', 'certification') }} as certification,
        {{ json_text('element.sent', 'meaning') }} as meaning,
        {{ json_integer('element.sent', 'order') }} as certification_order
    -- not one function beside the other: in an outer join, Citus mistakes their columns
    from (
        select
            country.iso_3166_1,
            {{ json_elements('country.certifications') }} as sent
        from {{ json_fields("landed.payload -> 'certifications'") }}
            as country (iso_3166_1, certifications)
    ) as element
) as certification
    on
        certification.certification is not null
        and length(certification.iso_3166_1) between 1 and 40
order by
    landed.snapshot_date asc, certification.iso_3166_1 asc, certification.certification asc,
    certification.certification_order asc nulls last, certification.meaning desc nulls last
