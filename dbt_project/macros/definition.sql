{#-
    Whether a model's SQL and what the database holds of it are as they were when this project last made or checked it: ops.definition has a
    hash of both. What somebody changed in the database by hand differs, too. The bounds of new rows, which are others each day, and what
    `--empty` puts in a table's place make no difference.
-#}
{% macro is_as_defined(sql) -%}
    exists (
        select 1
        from {{ bookkeeping_schema() }}.definition
        where
            relation = '{{ this.schema }}.{{ this.identifier }}'
            and sql_hash = '{{ sql_hash(sql) }}'
            and definition_hash = {{ hash_in_database() }}
    )
{%- endmacro %}

{#- Notes that they are as they are now. -#}
{% macro note_definition(sql) %}
    insert into {{ bookkeeping_schema() }}.definition (relation, sql_hash, definition_hash)
    values ('{{ this.schema }}.{{ this.identifier }}', '{{ sql_hash(sql) }}', {{ hash_in_database() }})
    on conflict (relation) do update set sql_hash = excluded.sql_hash, definition_hash = excluded.definition_hash
{% endmacro %}

{% macro sql_hash(sql) %}
    {% set filled = modules.re.sub('[(]select [*] from (.+?) where false limit 0[)] _dbt_limit_subq_[a-z0-9_]+', '\\1', sql) %}
    {% set described = [modules.re.sub('load_id (>|<=) -?[0-9]+', '', filled), model.description] %}
    {% for name, column in model.columns.items() %}
        {% do described.append([name, column.data_type, column.description]) %}
    {% endfor %}
    {% do return(local_md5(described | string)) %}
{% endmacro %}

{#- SQL: a hash of the view's definition, or of the table's columns. -#}
{% macro hash_in_database() -%}
    {% set relation = "to_regclass('" ~ this.include(database=false) ~ "')" %}
    {% if config.get('materialized') == 'view' -%}
        md5(pg_get_viewdef({{ relation }}))
    {%- else -%}
        (
            select md5(string_agg(attname || ' ' || format_type(atttypid, atttypmod), ', ' order by attnum))
            from pg_attribute
            where attrelid = {{ relation }} and attnum > 0 and not attisdropped
        )
    {%- endif %}
{%- endmacro %}
