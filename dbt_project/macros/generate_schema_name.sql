{#-
    In the target `prod`, schemas are named as configured: staging, marts, analytics. In any other, the target's own schema stands
    before them (dev_alice_marts), so that whoever works on the models touches nothing that others read.
-#}
{% macro generate_schema_name(custom_schema_name, node) -%}
    {%- if not custom_schema_name -%}
        {{ target.schema }}
    {%- elif target.name == 'prod' -%}
        {{ custom_schema_name | trim }}
    {%- else -%}
        {{ target.schema }}_{{ custom_schema_name | trim }}
    {%- endif -%}
{%- endmacro %}
