{#- The column's known values lie between `at_least` and `at_most`, SQL expressions. -#}
{% test accepted_range(model, column_name, at_least, at_most) %}
    select *
    from {{ model }}
    where {{ column_name }} < {{ at_least }} or {{ column_name }} > {{ at_most }}
{% endtest %}
