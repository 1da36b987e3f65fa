{#-
    Incremental strategy `upsert`: inserts new keys, updates rows that differ, leaves the others untouched.

    From one day to the next about 1 % of films change a descriptive field; MERGE or delete+insert would rewrite the other 99 %
    too, and MERGE is not safe beside another writer.

    meta.replaces: what the new rows are all of, so that what is not among them goes: `all`, or the column of the unique key whose
    values are replaced (a film's members of a bridge; a film without any stands there once, the rest of its key NULL).
    A rebuild replaces all, once all that it reads has come to one load. meta.delete_when: a condition on a new row which says that its key is to go.
    load_id is written with a row but never makes one differ, unless meta.tracks_loads says that it does. meta.loads: {a column with a
    load_id: the columns of which it says when one last changed}, for who reads only these; a rebuild writes them all anew.
-#}
{% macro get_incremental_upsert_sql(arg_dict) %}
    {% set meta = (config.get('meta') or {}) %}
    {% set keys = [arg_dict['unique_key']] if arg_dict['unique_key'] is string else arg_dict['unique_key'] %}
    {% set columns = arg_dict['dest_columns'] %}
    {% set attributes = columns | reject('in', keys) | list %}
    {% set loads = {} if arg_dict['is_rebuild'] else meta.get('loads', {}) %}
    {% set compared = attributes if meta.get('tracks_loads') or meta.get('loads') and not loads
        else attributes | reject('in', ['load_id'] + loads.keys() | list) | list %}
    {% set new_rows, target = arg_dict['temp_relation'], arg_dict['target_relation'] %}
    {% set replaces = meta.get('replaces') %}
    {% set is_replaced = 'true' if replaces == 'all' else 'old_row.' ~ replaces ~ ' in (select ' ~ replaces ~ ' from ' ~ new_rows ~ ')' if replaces else 'false' %}
    {% if replaces_all() %}
        {% set is_replaced = '(' ~ reads_one_load() ~ ' or ' ~ is_replaced ~ ')' %}
    {% endif %}
    {% set new_row_of_key = 'select 1 from ' ~ new_rows ~ ' as new_row where ' ~ same_key('old_row', 'new_row', keys) %}
    {{ take_turn() }}

    {% if meta.get('delete_when') %}
        {{ delete_rows(target, new_rows, keys, 'exists (' ~ new_row_of_key ~ ' and (' ~ meta.delete_when ~ '))') }}
    {% endif %}
    {% if is_replaced != 'false' and not flags.EMPTY %}
        {{ delete_rows(target, new_rows, keys, is_replaced ~ ' and not exists (' ~ new_row_of_key ~ ')') }}
    {% endif %}

    insert into {{ target }} as old_row ({{ columns | join(', ') }})
    select {% for column in columns %}new_row.{{ column }}{{ ', ' if not loop.last }}{% endfor %}
    from {{ new_rows }} as new_row
    {{ 'left join ' ~ target ~ ' as known_row on ' ~ same_key('known_row', 'new_row', keys) if compares_before_writing() }}
    where
        {% for key in keys %}{{ 'and ' if not loop.first }}new_row.{{ key }} is not null {% endfor %}
        {{ 'and not (' ~ meta.delete_when ~ ')' if meta.get('delete_when') }}
        {% if compares_before_writing() %}
            and (known_row.{{ keys[0] }} is null {{ 'or ' ~ differs('known_row', 'new_row', compared) if compared }})
        {% endif %}
    on conflict ({{ keys | join(', ') }})
    {% if compared %}
        do update set
            {% for column in attributes %}
                {{ column }} = {{ 'case when ' ~ differs('old_row', 'excluded', loads[column]) ~ ' then excluded.' ~ column ~ ' else old_row.' ~ column
                    ~ ' end' if column in loads else 'excluded.' ~ column }}{{ ', ' if not loop.last }}
            {% endfor %}
        where {{ differs('old_row', 'excluded', compared) }}
    {% else %}
        do nothing
    {% endif %}
{% endmacro %}

{% macro same_key(one, other, keys) -%}
    {% for key in keys %}{{ one }}.{{ key }} = {{ other }}.{{ key }}{{ ' and ' if not loop.last }}{% endfor %}
{%- endmacro %}

{% macro differs(one, other, columns) -%}
    ({% for column in columns %}{{ one }}.{{ column }}{{ ', ' if not loop.last }}{% endfor %})
    is distinct from ({% for column in columns %}{{ other }}.{{ column }}{{ ', ' if not loop.last }}{% endfor %})
{%- endmacro %}
