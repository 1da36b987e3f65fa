{#-
    Incremental strategy `replace_per_movie`, for bridges: the new rows hold every film whose list was read again, with all
    its members; a film whose list is empty stands there once with a NULL member. Members that a film no longer has are
    deleted, new ones inserted, the others not touched.
-#}
{% macro get_incremental_replace_per_movie_sql(arg_dict) %}
    {% set target = arg_dict['target_relation'] %}
    {% set new_rows = arg_dict['temp_relation'] %}
    {% set keys = arg_dict['unique_key'] %}
    {% set member_key = keys | reject('equalto', 'movie_id') | first %}
    delete from {{ target }} as old_row
    where
        old_row.movie_id in (select movie_id from {{ new_rows }})
        and not exists (
            select 1
            from {{ new_rows }} as new_row
            where new_row.movie_id = old_row.movie_id and new_row.{{ member_key }} = old_row.{{ member_key }}
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
