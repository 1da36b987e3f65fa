{#- At least the share `at_least` of the rows (0 to 1) has a value; where fewer have, the rows without are the failing ones. -#}
{% test mostly_known(model, column_name, at_least) %}
    select *
    from {{ model }}
    where
        {{ column_name }} is null
        and (select count({{ column_name }}) < {{ at_least }} * count(*) from {{ model }})
{% endtest %}
