{#-
    Puts the descriptions of tables and their columns into the database, as comments, where they differ. dbt's own persist_docs writes
    each of the many hundred anew in every run, which takes a day longer than its films; it still does so for views, when they are made.
-#}
{% macro describe_tables() %}
    {% if execute and flags.WHICH in ('run', 'build') %}
        {% set comments %}
            select n.nspname || '.' || c.relname || ' ' || part.name, coalesce(d.description, '')
            from pg_class as c
            inner join pg_namespace as n on n.oid = c.relnamespace
            cross join lateral (
                select 0 as attnum, '' as name
                union all
                select attnum, attname from pg_attribute where attrelid = c.oid and attnum > 0 and not attisdropped
            ) as part
            left join pg_description as d
                on d.objoid = c.oid and d.classoid = 'pg_class'::regclass and d.objsubid = part.attnum
            where
                c.relkind = 'r'
                and n.nspname in ('{{ generate_schema_name('staging', none) }}', '{{ generate_schema_name('marts', none) }}')
        {% endset %}
        {% set known = {} %}
        {% for row in run_query(comments).rows %}
            {% do known.update({row[0]: row[1] or ''}) %}
        {% endfor %}
        {% for node in graph.nodes.values() if node.resource_type == 'model' and node.config.materialized == 'incremental' %}
            {% set table = node.schema ~ '.' ~ node.alias %}
            {% if known.get(table ~ ' ', node.description) != node.description %}
                {{ one_by_one() }}
                comment on table {{ table }} is {{ string_or_null(node.description) }};
            {% endif %}
            {% for name, column in node.columns.items() if known.get(table ~ ' ' ~ name, column.description) != column.description %}
                {{ one_by_one() }}
                comment on column {{ table }}.{{ name }} is {{ string_or_null(column.description) }};
            {% endfor %}
        {% endfor %}
    {% endif %}
{% endmacro %}
