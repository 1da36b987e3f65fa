{#-
    At least the share `at_least` of the rows (0 to 1) has a value; where fewer have, the rows without are the failing ones. `of_last`: of the
    rows with the last value of this column only, as what came before was tested when it was the last.
-#}
{% test mostly_known(model, column_name, at_least, of_last=none) %}
    with tested as {{ read_once() }} (
        select *
        from {{ model }}
        {{ 'where ' ~ of_last ~ ' = (select max(' ~ of_last ~ ') from ' ~ model ~ ')' if of_last }}
    )

    select *
    from tested
    where
        {{ column_name }} is null
        and (select count({{ column_name }}) < {{ at_least }} * count(*) from tested)
{% endtest %}
