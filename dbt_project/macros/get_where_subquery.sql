{#-
    dbt's own hook for a data test's `where`, with one word of ours: `new_loads` stands for the rows landed since the build before the last.

    What was tested yesterday has not changed since, and keys and contracts hold all of it in any case; testing all
    history every day would make the daily run dearer by the day. To test it all: dbt test --vars 'test_all_history: true'
    (the first build does so by itself).
-#}
{% macro get_where_subquery(relation) %}
    {% set where = config.get('where') %}
    {% if not where or not execute %}
        {% do return(relation) %}
    {% endif %}
    {% if where == 'new_loads' %}
        {% set where = new_loads() %}
    {% endif %}
    {% do return('(select * from ' ~ relation ~ ' where ' ~ where ~ ') as tested_rows') %}
{% endmacro %}

{% macro new_loads() %}
    {% if not execute %}
        {% do return('true') %}
    {% endif %}
    {% set horizons = adapter.get_relation(target.database, 'marts', 'load_horizon') %}
    {% if var('test_all_history') or not horizons %}
        {% do return('true') %}
    {% endif %}
    {% set previous = run_query(
        'select coalesce(max(load_id), -1) from ' ~ horizons
        ~ ' where load_id < (select max(load_id) from ' ~ horizons ~ ')'
    ).rows[0][0] %}
    {% do return('load_id > ' ~ previous) %}
{% endmacro %}
