-- what could not be landed; the raw bytes of the answer stay in the landing zone
select
    failure_id,
    run_id,
    resource,
    resource_id,
    snapshot_date,
    reason,
    detail,
    http_status,
    occurred_at
{% if not execute or load_relation(source('tmdb', 'extract_failure')) is not none %}
    from {{ source('tmdb', 'extract_failure') }}
{% else %}
    from (
        select
            null::bigint as failure_id,
            null::bigint as run_id,
            null::text as resource,
            null::bigint as resource_id,
            null::date as snapshot_date,
            null::text as reason,
            null::text as detail,
            null::smallint as http_status,
            null::timestamptz as occurred_at
    ) as no_failure
    where false
{% endif %}
