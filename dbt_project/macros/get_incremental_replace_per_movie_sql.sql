{#-
    Incremental strategy `replace_per_movie`, for bridges: the new rows hold every film whose list was read again, with all
    its members; a film whose list is empty stands there once with a NULL member. Members that a film no longer has are
    deleted, new ones inserted, the others not touched.
-#}
{% macro get_incremental_replace_per_movie_sql(arg_dict) %}
    {{ replace_members(arg_dict, 'movie_id') }}
{% endmacro %}

{#- Incremental strategy `replace_per_date`: the same for daily aggregates, a day's rows being the members. -#}
{% macro get_incremental_replace_per_date_sql(arg_dict) %}
    {{ replace_members(arg_dict, 'date_id') }}
{% endmacro %}

{#- `owner`: the column of the unique key that says whose members a row is one of. -#}
{% macro replace_members(arg_dict, owner) %}
    {% set target = arg_dict['target_relation'] %}
    {% set new_rows = arg_dict['temp_relation'] %}
    {% set keys = arg_dict['unique_key'] %}
    {% set member_key = keys | reject('equalto', owner) | first %}
    delete from {{ target }} as old_row
    where
        old_row.{{ owner }} in (select {{ owner }} from {{ new_rows }})
        and not exists (
            select 1
            from {{ new_rows }} as new_row
            where new_row.{{ owner }} = old_row.{{ owner }} and new_row.{{ member_key }} = old_row.{{ member_key }}
        );
    {{ upsert_rows(
        target,
        new_rows,
        keys,
        arg_dict['dest_columns'] | map(attribute='name') | list,
        ['load_id'],
        'new_row.' ~ member_key ~ ' is not null',
    ) }}
{% endmacro %}
