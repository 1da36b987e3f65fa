{#-
    The same project on Citus, PostgreSQL spread over several nodes. Everything in which it differs from plain PostgreSQL is here; there, each
    of these macros leaves what dbt would do as it is.

    Placement follows from a model's key. A table whose key has movie_id is distributed by it, and all of them lie as the landing zone
    does, by resource_id: what one film has is on one node, so that joins, windows and constraints of a film never cross nodes. Everything
    else is a reference table, of which each node has a copy, so that it can be joined with any film. `meta: {distribution: column}`, or
    `reference`, says otherwise.

    Whether this is a cluster is never configured: the catalog of the extension is there or not.
-#}
{% macro on_citus() %}
    {% do return(execute and asked_once('on_citus', "select to_regclass('pg_catalog.pg_dist_partition') is not null")[0]) %}
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
        {#-
            Reference tables (repmodel t) are one group, which Citus copies to a new worker. Two tables that are the first at the same time
            would begin two groups, and of these it copies one: so only one is the first.
        -#}
        select pg_advisory_xact_lock(hashtext('create_reference_table'))
        where not exists (select from pg_dist_partition where repmodel = 't');
        select create_reference_table('{{ relation }}');
    {%- else -%}
        select create_distributed_table(
            '{{ relation }}', '{{ column }}',
            colocate_with => '{{ landing_zone.include(database=false).render() if column == 'movie_id' and load_relation(landing_zone) else 'default' }}'
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
    Places the tables that are there and are not placed, or otherwise than their model says: of a warehouse that was restored into a cluster,
    or that had the extension created in its database later. Foreign keys can't point from what is placed to what is not;
    ensure_foreign_keys puts them back. Runs when dbt starts.
-#}
{% macro place_tables() %}
    {% if execute and flags.WHICH in ('run', 'build') and on_citus() %}
        {% set placed = {} %}
        {% for row in run_query(
            "select n.nspname || '.' || c.relname, coalesce(column_to_column_name(p.logicalrelid, p.partkey), 'reference')"
            ~ ' from pg_dist_partition as p inner join pg_class as c on c.oid = p.logicalrelid'
            ~ ' inner join pg_namespace as n on n.oid = c.relnamespace'
        ).rows %}
            {% do placed.update({row[0]: row[1]}) %}
        {% endfor %}
        {% set references, others = [], [] %}
        {% for node in graph.nodes.values() if node.resource_type == 'model' and node.config.materialized == 'incremental' %}
            {% set relation = load_cached_relation(api.Relation.create(node.database, node.schema, node.alias)) %}
            {% set wanted = distribution(node) %}
            {% if relation and relation.is_table and placed.get(node.schema ~ '.' ~ node.alias) != wanted %}
                {% do (references if wanted == 'reference' else others).append((relation, node)) %}
            {% endif %}
        {% endfor %}
        {% if references or others %}
            {% do log('Placing ' ~ (references + others) | length ~ ' tables on the nodes of the cluster', info=True) %}
            {{ one_by_one() }}
            {% for relation, node in references + others %}
                {% for key in run_query(
                    "select conrelid::regclass::text, conname from pg_constraint where contype = 'f' and '"
                    ~ relation.include(database=false) ~ "'::regclass in (conrelid, confrelid)"
                ).rows %}
                    alter table {{ key[0] }} drop constraint if exists {{ adapter.quote(key[1]) }};
                {% endfor %}
            {% endfor %}
            {% for relation, node in references + others %}
                {{ "select undistribute_table('" ~ relation ~ "');" if (node.schema ~ '.' ~ node.alias) in placed }}
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
    SQL that begins an upsert. Marts point at each other, so that what one deletes another may be writing: one after the other on one server,
    in another order on each node of a cluster, which ends as a deadlock. So on Citus they read side by side, and write in turn.
-#}
{% macro take_turn() %}
    {{- "select pg_advisory_xact_lock(hashtext('" ~ model.schema ~ "'));" if on_citus() }}
{% endmacro %}

{#-
    Whether an upsert looks for the rows that are new or differ before it writes. On Citus the join of the new rows with a
    distributed table would bring all of that table to the coordinator; there `on conflict` alone tells them.
-#}
{% macro compares_before_writing() %}
    {% do return(not on_citus() or distribution(model) == 'reference') %}
{% endmacro %}

{#- SQL that goes before a change, where one transaction makes many changes of tables: Citus takes them only one node after the other. -#}
{% macro one_by_one() %}
    {{- "set local citus.multi_shard_modify_mode to 'sequential';" if on_citus() }}
{% endmacro %}

{#-
    Begins to write a table. Foreign keys point at a reference table from all nodes: Citus lets a transaction write to it only if what it
    read before, the new rows, was read one shard after the other, too.
-#}
{% macro read_one_by_one() %}
    {% if distribution(model) == 'reference' and on_citus() %}
        {% do run_query(one_by_one()) %}
    {% endif %}
{% endmacro %}

{#-
    SQL that gives a table its statistics, in the transaction that has filled it. Citus asks all nodes at once, and refuses that where the
    transaction has written or read a reference table; there the nodes look at their tables by themselves, some time later. Lists are left out:
    to look at what is in them takes longer than all else, and no query asks for it.
-#}
{% macro analyze(relation) %}
    {%- if not on_citus() -%}
        analyze {{ relation }} (
            {%- for column in model.columns.values() if not column.data_type.endswith('[]') %}{{ ', ' if not loop.first }}{{ column.name }}{% endfor -%}
        )
    {%- endif -%}
{% endmacro %}

{#-
    Makes the views of this transaction on the coordinator alone, where they are asked. Citus would copy them to all nodes, and refuses to
    replace such a copy by one that reads a table of the coordinator's own, such as the ledger.
-#}
{% macro keep_on_coordinator() %}
    {% if on_citus() %}
        {% do run_query('set local citus.enable_ddl_propagation to off') %}
    {% endif %}
{% endmacro %}

{#-
    The condition that a row of `relation` has `value`, of a reference table, in `column`. PostgreSQL looks each value up in the index. Citus
    can't from a reference table, so its nodes say which values they have, each once, from `at_least` (a query of one value) on.
-#}
{% macro has_row(value, relation, column, at_least=none) -%}
    {% if on_citus() -%}
        {{ value }} in (
            select distinct there.{{ column }} from {{ relation }} as there
            {{ 'where there.' ~ column ~ ' >= (' ~ at_least ~ ')' if at_least }}
        )
    {%- else -%}
        exists (select 1 from {{ relation }} as there where there.{{ column }} = {{ value }})
    {%- endif %}
{%- endmacro %}

{#-
    How a CTE that is read several times is kept. PostgreSQL reads it once, into memory, by itself or told to by `materialized`. Citus would
    gather it on the coordinator, and what it is joined with, too; there each of its readers is carried out beside the rows.
-#}
{% macro read_once(otherwise='') %}
    {{- 'not materialized' if on_citus() else otherwise -}}
{% endmacro %}

{#-
    What a query joins in place of the CTE `united`, which is nothing but the rows of the CTEs `parts`, one below the other: PostgreSQL all at once.
    Citus would gather all of them on the coordinator; there each part is joined beside its rows, and what was found is united.
-#}
{% macro joined_apart(united, parts) %}
    {% do return(parts if on_citus() else [united]) %}
{% endmacro %}

{#-
    Ends a query whose columns others read several times, so that PostgreSQL computes each column once: it would write the column's expression
    wherever it is read. Citus would compute all of the query on the coordinator.
-#}
{% macro compute_once() %}
    {{- 'offset 0' if not on_citus() -}}
{% endmacro %}
