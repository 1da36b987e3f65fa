{#-
    What the project notes for itself, in a schema of its own that no analyst looks at: ops, of each target its own.

    ops.build: what the landing zone held when each invocation of dbt began.
    ops.watermark: the load up to which each model has taken everything.
    ops.definition: how each view was last made, and with which columns each table.
    ops.test_result: how each data test last ended.
-#}
{% macro bookkeeping_schema() %}{{ generate_schema_name('ops', none) }}{% endmacro %}

{#-
    The row that answers `query`, which is asked once in a run of dbt, however often macros need it: it is kept under the name `question` in
    the graph, the one thing that all models share.
-#}
{% macro asked_once(question, query) %}
    {% set kept = question ~ ' ' ~ invocation_id %}
    {% if kept not in graph %}
        {% do graph.update({kept: run_query(query).rows[0]}) %}
    {% endif %}
    {% do return(graph[kept]) %}
{% endmacro %}

{#- Runs when dbt starts. -#}
{% macro begin_build() %}
    {% if execute and flags.WHICH in ('run', 'build', 'test') %}
        {% set ops = bookkeeping_schema() %}
        create schema if not exists {{ ops }};
        create table if not exists {{ ops }}.build (
            invocation_id text primary key,
            load_id bigint not null,
            started_at timestamptz not null default now()
        );
        create table if not exists {{ ops }}.watermark (
            relation text primary key,
            load_id bigint not null,
            updated_at timestamptz not null default now()
        );
        create table if not exists {{ ops }}.definition (
            relation text primary key,
            sql_hash text not null,
            definition_hash text not null
        );
        create table if not exists {{ ops }}.test_result (
            test text primary key,
            description text,
            model text,
            column_name text,
            severity text not null,
            status text not null,
            failing_rows bigint,
            failures_relation text,
            tested_at timestamptz not null,
            failing_since timestamptz,
            last_failed_at timestamptz
        );
    {% endif %}
    {% if execute and flags.WHICH in ('run', 'build') %}
        {% set landing_zone = source('tmdb', 'tmdb_response') %}
        {% set landed = load_relation(landing_zone) is not none %}
        {% if not landed %}
            {% do exceptions.warn(
                'There is no landing zone yet (' ~ landing_zone.render() ~ '): nothing new can be read.'
                ~ ' Land films first, with `make extract` or `make demo`.'
            ) %}
        {% endif %}
        {% do refuse_replaced_landing_zone(landing_zone, landed) %}
        delete from {{ bookkeeping_schema() }}.build
        where started_at < (select started_at from {{ bookkeeping_schema() }}.build order by started_at desc offset 100 limit 1);
        {#- a landing zone that was pruned holds fewer loads than were taken of it -#}
        insert into {{ bookkeeping_schema() }}.build (invocation_id, load_id)
        select '{{ invocation_id }}', greatest(
            {{ '(select max(load_id) from ' ~ landing_zone.render() ~ '),' if landed }}
            (select max(load_id) from {{ bookkeeping_schema() }}.watermark),
            0
        );
    {% endif %}
{% endmacro %}

{#-
    A landing zone that has issued fewer loads than staging has taken was replaced by another one, whose rows would be passed over in
    silence. So was one of whose last load that was taken staging has no film's day. Asked to read all of it anew (REPARSE=1), it
    goes on counting from where the old one ended.
-#}
{% macro refuse_replaced_landing_zone(landing_zone, landed) %}
    {% set watermark = adapter.get_relation(target.database, bookkeeping_schema(), 'watermark') %}
    {% set sequence = landing_zone.schema ~ '.load_id_seq' %}
    {% set taken = run_query('select coalesce(max(load_id), 0) from ' ~ watermark).rows[0][0] | int if watermark else 0 %}
    {% set issued = run_query('select last_value from ' ~ sequence).rows[0][0] | int if landed else taken %}
    {% set snapshot = adapter.get_relation(target.database, generate_schema_name('staging', none), 'stg_tmdb__movie_snapshot') %}
    {% set is_unknown = landed and watermark and snapshot and not on_citus() and run_query(
        'select not bool_or(snapshot.load_id is not null) from (select resource_id, snapshot_date, load_id from ' ~ landing_zone.render()
        ~ " where resource = 'movie' and (http_status = 404 or http_status = 200 and jsonb_typeof(payload) = 'object')"
        ~ ' and load_id = (select max(load_id) from ' ~ landing_zone.render() ~ ' where load_id <= (select load_id from ' ~ watermark
        ~ " where relation = 'stg_tmdb__movie_snapshot')) limit 100) as landed left join " ~ snapshot ~ ' as snapshot'
        ~ ' on landed.resource_id = snapshot.movie_id and landed.snapshot_date = snapshot.snapshot_date and landed.load_id = snapshot.load_id'
    ).rows[0][0] %}
    {% if taken > issued and var('reparse') %}
        {% do run_query("select setval('" ~ sequence ~ "', " ~ taken ~ ')') %}
    {% elif (taken > issued or is_unknown) and not var('reparse') %}
        {% do exceptions.raise_compiler_error(
            'The tables have taken load ' ~ taken ~ (' but the landing zone has issued only ' ~ issued if taken > issued
            else ', and know no film of those that the landing zone has of it')
            ~ ': it was replaced by another or an older one. Nothing was changed. To read all that it holds, and keep the days'
            ~ ' that it does not: make dbt REPARSE=1'
        ) %}
    {% endif %}
{% endmacro %}
