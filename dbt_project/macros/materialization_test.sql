{#-
    dbt's own materialization of data tests, with one difference: the failing rows are stored only where there are any, as
    quality.<test>, and go when the test passes again. dbt's makes a table for every test, which on this project takes
    longer than the tests, and hides the few that matter among two hundred empty ones.
-#}
{% materialization test, adapter='postgres' %}
    {% set failing_rows = get_limit_subquery_sql(sql, config.get('limit')) %}
    {% call statement('main', fetch_result=True) -%}
        {{ get_test_sql(failing_rows, config.get('fail_calc'), config.get('warn_if'), config.get('error_if'), limit=none) }}
    {%- endcall %}

    {% set relations = [] %}
    {% if should_store_failures() %}
        {% set stored = adapter.get_relation(database=database, schema=schema, identifier=model['alias']) %}
        {% if stored %}
            {% do adapter.drop_relation(stored) %}
        {% endif %}
        {% if load_result('main').table.rows[0][0] %}
            {% set relation = api.Relation.create(
                database=database, schema=schema, identifier=model['alias'], type='table'
            ) %}
            {% call statement('store') %}
                {{ get_create_sql(relation, failing_rows) }}
            {% endcall %}
            {% do relations.append(relation) %}
        {% endif %}
        {{ adapter.commit() }}
    {% endif %}
    {{ return({'relations': relations}) }}
{% endmaterialization %}
