{#-
    dbt's own materialization of views, with one difference: a view whose definition is unchanged is left alone. dbt's makes each one anew
    in every run, which drops, without a word, the views that somebody has built on it.

    A changed view is replaced in place where its columns allow it, and dropped and made again where they do not; if a view of somebody
    else's hangs on it then, the run stops and says whose.
-#}
{% materialization view, adapter='postgres' %}
    {% set existing = load_cached_relation(this) %}
    {% set target_relation = this.incorporate(type='view') %}
    {% set known = existing and existing.is_view and run_query('select ' ~ is_as_defined(sql)).rows[0][0] %}

    {% if known %}
        {% call noop_statement('main', 'UNCHANGED') %}{{ sql }}{% endcall %}
    {% else %}
        {{ run_hooks(pre_hooks, inside_transaction=False) }}
        {{ run_hooks(pre_hooks, inside_transaction=True) }}
        {% do keep_on_coordinator() %}
        {% if existing and not (existing.is_view and view_takes_columns(this, sql)) %}
            {% do refuse_to_drop_views_of_others(existing) %}
            {% do adapter.drop_relation(existing) %}
        {% endif %}
        {% call statement('main') %}
            {{ get_create_view_as_sql(target_relation, sql) | replace('create view', 'create or replace view', 1) }}
        {% endcall %}
        {% do persist_docs(target_relation, model) %}
        {#- (one that `--empty` made, for it to be tried, is to be made anew) #}
        {% if not flags.EMPTY %}
            {% call statement('definition') %}{{ note_definition(sql) }}{% endcall %}
        {% endif %}
        {{ run_hooks(post_hooks, inside_transaction=True) }}
        {{ adapter.commit() }}
        {{ run_hooks(post_hooks, inside_transaction=False) }}
    {% endif %}
    {{ return({'relations': [target_relation]}) }}
{% endmaterialization %}

{#- Whether `create or replace view` can put `sql` in the view's place: it may only add columns, at the end. -#}
{% macro view_takes_columns(view, sql) %}
    {% do run_query('create or replace temporary view changed_view as ' ~ sql) %}
    {% set kept = run_query(
        'select bool_and(wanted.attnum is not null) from pg_attribute as there'
        ~ " left join pg_attribute as wanted on wanted.attrelid = 'pg_temp.changed_view'::regclass"
        ~ ' and (wanted.attnum, wanted.attname, wanted.atttypid, wanted.atttypmod)'
        ~ ' = (there.attnum, there.attname, there.atttypid, there.atttypmod)'
        ~ " where there.attrelid = '" ~ view.include(database=false) ~ "'::regclass and there.attnum > 0 and not there.attisdropped"
    ).rows[0][0] %}
    {% do run_query('drop view changed_view') %}
    {% do return(kept) %}
{% endmacro %}

{#- Stops before a table or view is dropped on which something hangs that this project did not make, now or `once_ours`. -#}
{% macro refuse_to_drop_views_of_others(relation, once_ours=[]) %}
    {% set ours = once_ours | list %}
    {% for node in graph.nodes.values() if node.resource_type in ('model', 'seed') %}
        {% do ours.append(node.schema ~ '.' ~ node.alias) %}
    {% endfor %}
    {% set others = run_query(
        'with recursive hanging as ('
        ~ " select to_regclass('" ~ relation.include(database=false) ~ "')::oid as oid"
        ~ ' union select r.ev_class from hanging as h'
        ~ " inner join pg_depend as d on d.refobjid = h.oid and d.classid = 'pg_rewrite'::regclass"
        ~ ' inner join pg_rewrite as r on r.oid = d.objid)'
        ~ " select n.nspname || '.' || c.relname || ' (of ' || pg_get_userbyid(c.relowner) || ')' from hanging as h"
        ~ ' inner join pg_class as c on c.oid = h.oid inner join pg_namespace as n on n.oid = c.relnamespace'
        ~ " where n.nspname || '.' || c.relname not in ('" ~ ours | join("', '") ~ "') order by 1"
    ).columns[0].values() %}
    {% if others %}
        {% do exceptions.raise_compiler_error(
            relation.schema ~ '.' ~ relation.identifier ~ ' must be made anew, and what somebody else has built on it stands in the way: '
            ~ others | join(', ') ~ '. Nothing of theirs was dropped. Save its definition (\\d+ in psql), drop it, run dbt again, make it again.'
        ) %}
    {% endif %}
{% endmacro %}
