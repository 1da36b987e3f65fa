-- The landing zone: what TMDB sent, whole, with the ledger of the runs that fetched it.
--
-- Every statement bears being executed on a landing zone that has the table already: those made before there were
-- versions have no raw.schema_version, and are taken for version 1 by running this on them.

create schema if not exists raw;

-- Which migrations this landing zone has had.
create table if not exists raw.schema_version (
    version integer primary key,
    name text not null,
    applied_at timestamptz not null default now()
);

create table if not exists raw.extract_run (
    run_id bigint generated always as identity primary key,
    mode text not null,
    -- the settings that decide what is fetched, and pid and host of the program
    parameters jsonb not null,
    snapshot_date date not null,
    started_at timestamptz not null default now(),
    -- null while running, and for ever when the program was killed: its end is not known
    finished_at timestamptz,
    status text not null check (status in ('running', 'finished', 'failed', 'interrupted')),
    -- resources asked for: films and the lists, and list pages that failed. At the end of a run that
    -- was not interrupted it is landed + not_found + failed
    requested bigint not null default 0,
    -- rows of raw.tmdb_response with status 200, with status 404; rows of raw.extract_failure
    landed bigint not null default 0,
    not_found bigint not null default 0,
    failed bigint not null default 0,
    -- requests sent again
    retried bigint not null default 0,
    -- JSON text of the rows, unpacked
    bytes bigint not null default 0,
    error text
);

create index if not exists extract_run_snapshot_date_idx on raw.extract_run (snapshot_date, run_id);

-- One nextval a batch, taken in the batch's transaction. There is one writer, so batches commit in this order.
create sequence if not exists raw.load_id_seq;

create table if not exists raw.tmdb_response (
    -- 'movie' (GET /movie/{id}), 'genre_list', 'country_list', 'language_list' (id 0)
    resource text not null,
    resource_id bigint not null,
    snapshot_date date not null,
    -- 200, or 404 with TMDB's body: a tombstone
    http_status smallint not null,
    payload jsonb not null,
    run_id bigint not null,
    load_id bigint not null,
    landed_at timestamptz not null,
    -- what had to be changed for jsonb to hold the payload, e.g. 'removed 2 NUL'
    alteration text,
    -- why it was asked for: 'popular' (on the discover pages), 'tracked' (was on them), 'export', 'changes', 'list'.
    -- A row stays 'popular' when the same day fetches it again for another reason. Only 'popular' prolongs tracking,
    -- otherwise a tracked film would be tracked for ever
    selected_by text not null default 'popular',
    primary key (resource, snapshot_date, resource_id)
) partition by range (snapshot_date);

create index if not exists tmdb_response_newest_idx on raw.tmdb_response (resource, resource_id, snapshot_date desc);
create index if not exists tmdb_response_load_id_idx on raw.tmdb_response (load_id);
-- When was a film's last full payload? One probe a film, whatever the history.
create index if not exists tmdb_response_full_idx on raw.tmdb_response (resource_id, snapshot_date desc)
where resource = 'movie' and payload ? 'credits';
-- Which films were on the popular pages of the last days? Read without touching a payload.
create index if not exists tmdb_response_popular_idx on raw.tmdb_response (snapshot_date, resource_id)
where resource = 'movie' and selected_by = 'popular' and http_status = 200;

create table if not exists raw.extract_failure (
    failure_id bigint generated always as identity primary key,
    run_id bigint not null references raw.extract_run,
    -- as in raw.tmdb_response, or 'discover', 'changes' (a page of a list; with its dates), 'export_line'
    resource text not null,
    -- the film, page or line
    resource_id bigint not null,
    snapshot_date date not null,
    reason text not null,
    detail text not null,
    http_status smallint,
    -- the last answer, at most its first 64 KB
    body bytea,
    occurred_at timestamptz not null default now(),
    -- a batch whose commit was in doubt is written again without doubling its failures
    unique (run_id, resource, resource_id)
);

create index if not exists extract_failure_snapshot_date_idx on raw.extract_failure (snapshot_date);

-- What `extractor prune` dropped: since then the marts can't be rebuilt from the landing zone alone.
create table if not exists raw.prune_log (
    pruned_at timestamptz not null default now(),
    partition text not null,
    first_date date,
    last_date date,
    rows bigint not null,
    max_load_id bigint
);

-- The partition of a day's month, made when it is missing; its name.
create or replace function raw.ensure_partition(day date) returns text
language plpgsql
as $$
declare
    partition_name text := 'tmdb_response_' || to_char(day, 'YYYYMM');
    first_day date := date_trunc('month', day);
begin
    if to_regclass('raw.' || partition_name) is null then
        execute format('create table raw.%I (like raw.tmdb_response including defaults)', partition_name);
        -- lz4 unpacks several times faster than the default; a server may lack it
        if exists (select from pg_settings as setting
            where setting.name = 'default_toast_compression' and 'lz4' = any (enumvals)) then
            execute format('alter table raw.%I alter column payload set compression lz4', partition_name);
        end if;
        -- nobody plans by the distribution of whole documents: ANALYZE need not read them
        execute format('alter table raw.%I alter column payload set statistics 0', partition_name);
        -- attaching, unlike `create table … partition of`, does not wait for readers
        execute format(
            'alter table raw.tmdb_response attach partition raw.%I for values from (%L) to (%L)',
            partition_name, first_day, (first_day + interval '1 month')::date
        );
    end if;
    return partition_name;
end
$$;
