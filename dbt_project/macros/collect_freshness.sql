{#-
    dbt's own, with one difference: before the first extraction there is no landing zone whose age could be asked. `dbt source freshness` then
    warns, as of a landing zone that nobody has filled for two days, rather than to end with an error of the database.
-#}
{% macro postgres__collect_freshness_custom_sql(source, loaded_at_query) %}
    {% set landed = load_relation(source) is not none %}
    {% if not landed %}
        {% do exceptions.warn('There is no ' ~ source.render() ~ ' yet: land films first, with `make extract` or `make demo`.') %}
    {% endif %}
    {% do return(dbt.default__collect_freshness_custom_sql(
        source, loaded_at_query if landed else "select now() - interval '2 days'"
    )) %}
{% endmacro %}
