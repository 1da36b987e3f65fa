{#- Before the first extraction there is no landing zone to read; the models on this one then build empty. -#}
select
    resource,
    resource_id,
    snapshot_date,
    http_status,
    payload,
    load_id
{% if not execute or landing_zone_exists() %}
    from {{ source('tmdb', 'tmdb_response') }}
{% else %}
    from (
        select
            null::text as resource,
            null::bigint as resource_id,
            null::date as snapshot_date,
            null::smallint as http_status,
            null::jsonb as payload,
            null::bigint as load_id
    ) as nothing_landed
    where false
{% endif %}
