-- the ledger; before the first extraction there is none, and this is empty
select
    run_id,
    mode,
    snapshot_date,
    started_at,
    finished_at,
    status,
    requested,
    landed,
    not_found,
    failed,
    retried,
    bytes,
    error
{% if not execute or load_relation(source('tmdb', 'extract_run')) is not none %}
    from {{ source('tmdb', 'extract_run') }}
{% else %}
    from (
        select
            null::bigint as run_id,
            null::text as mode,
            null::date as snapshot_date,
            null::timestamptz as started_at,
            null::timestamptz as finished_at,
            null::text as status,
            null::bigint as requested,
            null::bigint as landed,
            null::bigint as not_found,
            null::bigint as failed,
            null::bigint as retried,
            null::bigint as bytes,
            null::text as error
    ) as no_run
    where false
{% endif %}
