{#-
    Makes every `relationships` test between two marts a real foreign key as well, where it is missing.

    A key in a model's contract is created with its table only, and a rebuild of the table it points at drops it without a
    word; here a lost key is back at the end of the next run. A row that goes takes the rows that point at it with it: all of them
    are made of the same staging, and the next model in the graph would remove them anyway. (Not a film with its language or
    collection: there the pointer is emptied.)
-#}
{% macro ensure_foreign_keys() %}
    {% if execute and flags.WHICH in ('run', 'build') %}
        {% set present = {} %}
        {% for row in run_query(
            "select cn.nspname || '.' || ct.relname || '.' || a.attname || '>' || pn.nspname || '.' || pt.relname, c.conname, c.confdeltype::text"
            ~ ' from pg_constraint as c'
            ~ ' inner join pg_class as ct on ct.oid = c.conrelid'
            ~ ' inner join pg_namespace as cn on cn.oid = ct.relnamespace'
            ~ ' inner join pg_class as pt on pt.oid = c.confrelid'
            ~ ' inner join pg_namespace as pn on pn.oid = pt.relnamespace'
            ~ ' inner join pg_attribute as a on a.attrelid = c.conrelid and a.attnum = c.conkey[1]'
            ~ " where c.contype = 'f'"
        ).rows %}
            {% do present.update({row[0]: row}) %}
        {% endfor %}
        {% for test in graph.nodes.values() if test.resource_type == 'test' and test.test_metadata
            and test.test_metadata.name == 'relationships' %}
            {% set child = graph.nodes.get(test.attached_node) %}
            {% set parent = graph.nodes.get(test.depends_on.nodes | reject('equalto', test.attached_node) | first) %}
            {% if child and parent and child.config.materialized == 'incremental' and parent.config.materialized == 'incremental' %}
                {% set child_relation = load_cached_relation(api.Relation.create(child.database, child.schema, child.alias)) %}
                {% set parent_relation = load_cached_relation(api.Relation.create(parent.database, parent.schema, parent.alias)) %}
                {% set column = test.test_metadata.kwargs.column_name %}
                {% set key = child.schema ~ '.' ~ child.alias ~ '.' ~ column ~ '>' ~ parent.schema ~ '.' ~ parent.alias %}
                {% set required = child.columns[column].constraints | selectattr('type', 'equalto', 'not_null') | list %}
                {% set action = 'cascade' if required else 'set null' %}
                {% if child_relation and parent_relation and (key not in present or present[key][2] != action[0]) %}
                    {{ one_by_one() }}
                    {% if key in present %}
                        alter table {{ child_relation }} drop constraint {{ adapter.quote(present[key][1]) }};
                    {% else %}
                        {% do log('Adding foreign key ' ~ key, info=True) %}
                    {% endif %}
                    alter table {{ child_relation }}
                    add foreign key ({{ column }}) references {{ parent_relation }} ({{ test.test_metadata.kwargs.field }})
                    on delete {{ action }};
                {% endif %}
            {% endif %}
        {% endfor %}
    {% endif %}
{% endmacro %}
