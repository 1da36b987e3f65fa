{#-
    dbt's own, with one difference: a seed's rows stand in the statement. dbt's go beside it, each in the place of a %s, of which a % in the
    database's name would make one more.
-#}
{% macro postgres__load_csv_rows(model, agate_table) %}
    {% set sql %}
        insert into {{ this }} ({{ get_seed_column_quoted_csv(model, agate_table.column_names) }}) values
        {% for row in agate_table.rows %}
            ({% for value in row %}{{ string_or_null(value) }}{{ ', ' if not loop.last }}{% endfor %}){{ ',' if not loop.last }}
        {% endfor %}
    {% endset %}
    {% call statement('rows') %}{{ sql }}{% endcall %}
    {% do return(sql) %}
{% endmacro %}
