{#- Whether anything was ever extracted into this database. -#}
{% macro landing_zone_exists() %}
    {% do return(load_relation(source('tmdb', 'tmdb_response')) is not none) %}
{% endmacro %}
