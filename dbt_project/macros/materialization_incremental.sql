{#-
    dbt's own materialization of incremental models, with two differences, which make a day of many small models short:

    - New rows, the upsert and the watermark go to the server at once instead of in ten statements; dbt's own time for each outweighs what
      the server needs for most of them.
    - The contract and the columns are compared only where the model or its table is not as it was when that was last done.

    A table that was filled anew gets its statistics at once: the models that come next read it before PostgreSQL would look at it by itself.

    A table is never replaced, also not by --full-refresh: that drops the foreign keys and the views that hang on it.
-#}
{% materialization incremental, adapter='postgres' %}
    {% set existing = load_cached_relation(this) %}
    {% set target_relation = this.incorporate(type='table') %}
    {% if existing and existing.is_view %}
        {% do refuse_to_drop_views_of_others(existing) %}
        {% do adapter.drop_relation(existing) %}
        {% set existing = none %}
    {% endif %}
    {% set is_known = existing and run_query('select ' ~ is_as_defined(sql)).rows[0][0] %}

    {{ run_hooks(pre_hooks, inside_transaction=False) }}
    {{ run_hooks(pre_hooks, inside_transaction=True) }}
    {% do read_one_by_one() %}
    {% set new_rows = make_temp_relation(target_relation) %}
    {% if not existing %}
        {% call statement('main') %}{{ get_create_table_as_sql(False, target_relation, sql) if on_citus() else filled_table(sql) }}{% endcall %}
        {% do create_indexes(target_relation) %}
        {% call statement('watermark') %}{{ record_watermark() }}; {{ analyze(target_relation) }}{% endcall %}
    {% else %}
        {% if not is_known %}
            {% do run_query(get_create_table_as_sql(True, new_rows, sql)) %}
            {% do process_schema_changes(config.get('on_schema_change'), new_rows, existing) %}
        {% endif %}
        {% call statement('main') %}
            {{ 'create temporary table ' ~ new_rows ~ ' on commit drop as (' ~ sql ~ ');' if is_known }}
            {{ get_incremental_upsert_sql({
                'target_relation': target_relation,
                'temp_relation': new_rows,
                'unique_key': config.get('unique_key'),
                'dest_columns': model.columns.keys() | list,
                'is_rebuild': is_rebuild(),
            }) }};
            {{ record_watermark() }};
            {{ analyze(target_relation) if is_rebuild() }}
        {% endcall %}
    {% endif %}
    {% if not is_known %}
        {% call statement('definition') %}{{ note_definition(sql) }}{% endcall %}
    {% endif %}
    {% do apply_grants(target_relation, config.get('grants'), should_revoke(existing, full_refresh_mode=False)) %}
    {{ run_hooks(post_hooks, inside_transaction=True) }}
    {{ adapter.commit() }}
    {{ run_hooks(post_hooks, inside_transaction=False) }}
    {{ return({'relations': [target_relation]}) }}
{% endmaterialization %}

{#-
    SQL that makes the model's table with its rows and then adds its constraints. dbt makes them with the empty table: then PostgreSQL, which reads
    for a new table with all its cores, reads with one, and puts the rows into the key's index one by one.
-#}
{% macro filled_table(sql) %}
    {%- do assert_columns_equivalent(sql) -%}
    {%- set constraints, added = model.constraints | list, [] -%}
    {%- for column in model.columns.values() -%}
        {%- for constraint in column.constraints -%}
            {%- if constraint.type == 'not_null' -%}
                {%- do added.append('alter ' ~ column.name ~ ' set not null') -%}
            {%- else -%}
                {%- do constraints.append(dict(constraint, columns=[column.name])) -%}
            {%- endif -%}
        {%- endfor -%}
    {%- endfor -%}
    {%- for constraint in adapter.render_raw_model_constraints(constraints) -%}
        {%- do added.append('add ' ~ constraint) -%}
    {%- endfor -%}
    create table {{ this }} as (
        select {% for column in model.columns.values() %}{{ column.name }}::{{ column.data_type }}{{ ', ' if not loop.last }}{% endfor %}
        from ({{ sql }}) as new_row
    );
    {{ 'alter table ' ~ this ~ ' ' ~ added | join(', ') if added }}
{% endmacro %}
