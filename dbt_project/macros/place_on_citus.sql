{#-
    The same project on Citus, PostgreSQL spread over several nodes. Everything in which it differs from plain PostgreSQL is here; there, each
    of these macros leaves what dbt would do as it is.

    Placement follows from a model's key. A table whose key has movie_id is distributed by it, and all of them lie as the landing zone
    does, by resource_id: what one film has is on one node, so that joins, windows and constraints of a film never cross nodes. Everything
    else is a reference table, of which each node has a copy, so that it can be joined with any film. `meta: {distribution: column}`, or
    `reference`, says otherwise.

    Whether this is a cluster is never configured: the catalog of the extension is there or not. dbt looks it up once in a run, as it
    keeps the relations of a schema in mind.
-#}
{% macro on_citus() %}
    {% do return(execute and adapter.get_relation(target.database, 'pg_catalog', 'pg_dist_partition') is not none) %}
{% endmacro %}

{#- How the table of a model (a node of the graph) is placed: the column by which it is distributed, or `reference`. -#}
{% macro distribution(node) %}
    {% set key = node.config.unique_key %}
    {% set by_film = 'movie_id' in ([key] if key is string else key or []) %}
    {% do return((node.config.meta or {}).get('distribution', 'movie_id' if by_film else 'reference')) %}
{% endmacro %}

{#- SQL that places a table, with the rows that it has. -#}
{% macro place(relation, node) %}
    {%- set column = distribution(node) -%}
    {%- set landing_zone = source('tmdb', 'tmdb_response') -%}
    {%- if column == 'reference' -%}
        select create_reference_table('{{ relation }}');
    {%- else -%}
        select create_distributed_table(
            '{{ relation }}', '{{ column }}',
            colocate_with => '{{ landing_zone.include(database=false) if column == 'movie_id' and load_relation(landing_zone) else 'default' }}'
        );
    {%- endif -%}
{% endmacro %}

{#-
    dbt's own, with one difference: on Citus a model's new table is placed while it is empty, so that its rows go straight to their nodes. Placed
    with its rows, a table sends all of them through the coordinator first.
-#}
{% macro postgres__create_table_as(temporary, relation, sql) -%}
    {%- set created = dbt.postgres__create_table_as(temporary, relation, sql) -%}
    {%- if not temporary and model.resource_type == 'model' and on_citus() -%}
        {%- set inserting = 'insert into ' ~ relation -%}
        {{ created | replace(inserting, place(relation, model) ~ ' ' ~ inserting, 1) }}
    {%- else -%}
        {{ created }}
    {%- endif -%}
{%- endmacro %}

{#-
    Places the tables that are there and are not placed: of a warehouse that was restored into a cluster, or that had the extension created in
    its database later. Foreign keys can't point from what is placed to what is not; ensure_foreign_keys puts them back. Runs when
    dbt starts.
-#}
{% macro place_tables() %}
    {% if execute and flags.WHICH in ('run', 'build') and on_citus() %}
        {% set placed = run_query(
            "select relnamespace::regnamespace || '.' || relname from pg_dist_partition inner join pg_class on oid = logicalrelid"
        ).columns[0].values() | list %}
        {% set waiting = {'reference': [], 'distributed': []} %}
        {% for node in graph.nodes.values() if node.resource_type == 'model' and node.config.materialized == 'incremental' %}
            {% set relation = load_cached_relation(api.Relation.create(node.database, node.schema, node.alias)) %}
            {% if relation and relation.is_table and (node.schema ~ '.' ~ node.alias) not in placed %}
                {% do waiting['reference' if distribution(node) == 'reference' else 'distributed'].append((relation, node)) %}
            {% endif %}
        {% endfor %}
        {% set tables = waiting.reference + waiting.distributed %}
        {% if tables %}
            {% do log('Placing ' ~ tables | length ~ ' tables on the nodes of the cluster', info=True) %}
            {{ one_by_one() }}
            {% for relation, node in tables %}
                {% for key in run_query(
                    "select conrelid::regclass::text, conname from pg_constraint where contype = 'f' and '"
                    ~ relation.include(database=false) ~ "'::regclass in (conrelid, confrelid)"
                ).rows %}
                    alter table {{ key[0] }} drop constraint if exists {{ adapter.quote(key[1]) }};
                {% endfor %}
            {% endfor %}
            {% for relation, node in tables %}
                {{ place(relation, node) }}
                select truncate_local_data_after_distributing_table('{{ relation }}');
            {% endfor %}
        {% endif %}
    {% endif %}
{% endmacro %}

{#-
    SQL that removes the rows of `target` (as old_row) for which `condition` holds, which reads the new rows in the temporary table `new_rows`.
    A temporary table is on the coordinator alone: on Citus what is distributed takes it as a CTE, of which the nodes get a copy, and a
    reference table, whose statements each node runs by itself, not even so; there the few keys are looked up first.
-#}
{% macro delete_rows(target, new_rows, keys, condition) %}
    {%- if on_citus() and distribution(model) == 'reference' -%}
        do $delete$
        declare
            doomed record;
        begin
            for doomed in select {{ keys | join(', ') }} from {{ target }} as old_row where {{ condition }} loop
                delete from {{ target }} as old_row where {{ same_key('old_row', 'doomed', keys) }};
            end loop;
        end
        $delete$;
    {%- else -%}
        {{ 'with ' ~ new_rows ~ ' as materialized (select * from pg_temp.' ~ new_rows ~ ')' if on_citus() }}
        delete from {{ target }} as old_row
        where {{ condition }};
    {%- endif -%}
{% endmacro %}

{#-
    SQL that begins an upsert. On Citus the new rows of a reference table were read from all nodes at once, after which the same
    transaction may not touch a table to which distributed ones point; so that reading is a transaction of its own.
-#}
{% macro begin_upsert() %}
    {{- 'commit; begin;' if on_citus() and distribution(model) == 'reference' -}}
{% endmacro %}

{#-
    Whether an upsert looks for the rows that are new or differ before it writes. On Citus the join of the new rows with a
    distributed table would bring all of that table to the coordinator; there `on conflict` alone tells them.
-#}
{% macro compares_before_writing() %}
    {% do return(not on_citus() or distribution(model) == 'reference') %}
{% endmacro %}

{#- SQL that begins many changes of tables in one transaction: Citus takes them only one node after the other. -#}
{% macro one_by_one() %}
    {{- "set local citus.multi_shard_modify_mode to 'sequential';" if on_citus() }}
{% endmacro %}
