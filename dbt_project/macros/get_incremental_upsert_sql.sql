{#-
    Incremental strategy `upsert`: inserts new keys, updates rows that differ, leaves the others untouched.

    From one day to the next about 1 % of films change a descriptive field; MERGE or delete+insert would rewrite the other 99 %
    too. Columns named in meta.lineage_columns (default: load_id) are written with a row but never make one differ.
    meta.delete_when: an SQL condition on a new row which says that its key is to be removed instead.
-#}
{% macro get_incremental_upsert_sql(arg_dict) %}
    {% set meta = config.get('meta', {}) %}
    {% set keys = [arg_dict['unique_key']] if arg_dict['unique_key'] is string else arg_dict['unique_key'] %}
    {% set columns = arg_dict['dest_columns'] | map(attribute='name') | list %}
    {% set delete_when = meta.get('delete_when') %}
    {% if delete_when %}
        delete from {{ arg_dict['target_relation'] }} as old_row
        using {{ arg_dict['temp_relation'] }} as new_row
        where {% for key in keys %}old_row.{{ key }} = new_row.{{ key }} and {% endfor %}(new_row.{{ delete_when }});
    {% endif %}
    {{ upsert_rows(
        arg_dict['target_relation'],
        arg_dict['temp_relation'],
        keys,
        columns,
        meta.get('lineage_columns', ['load_id']),
        'not (new_row.' ~ delete_when ~ ')' if delete_when else 'true',
    ) }}
{% endmacro %}

{#- INSERT … ON CONFLICT DO UPDATE of the rows of `source_relation` that satisfy `condition` and differ from what is there. -#}
{% macro upsert_rows(target_relation, source_relation, keys, columns, lineage_columns, condition) %}
    {% set attributes = columns | reject('in', keys) | list %}
    {% set compared = attributes | reject('in', lineage_columns) | list %}
    insert into {{ target_relation }} as old_row ({{ columns | join(', ') }})
    select {{ columns | join(', ') }}
    from {{ source_relation }} as new_row
    where {{ condition }}
    on conflict ({{ keys | join(', ') }})
    {% if compared %}
        do update set
            {% for column in attributes %}{{ column }} = excluded.{{ column }}{{ ', ' if not loop.last }}{% endfor %}
        where ({% for column in compared %}old_row.{{ column }}{{ ', ' if not loop.last }}{% endfor %})
            is distinct from ({% for column in compared %}excluded.{{ column }}{{ ', ' if not loop.last }}{% endfor %})
    {% else %}
        do nothing
    {% endif %}
{% endmacro %}
