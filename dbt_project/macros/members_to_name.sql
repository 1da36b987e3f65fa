{#-
    The CTE `changed`: the members of a block's lists (people, keywords) whose name has to be looked for again, since a list that names them
    is new, or is a film's list of today, or no longer is. Where a list was withdrawn, nobody can tell whom it named: then it is all of them.
    (A model that is made anew names all, and does not read it.)

    `source`: the CTE of the members, with movie_id and the column `key`; beside it stand the CTEs `seen` and `latest`.
-#}
{% macro members_to_name(source, key, block) -%}
changed as (
    select distinct {{ source }}.{{ key }}
    from {{ source }}
    where {{ source }}.movie_id in (
        select seen.movie_id
        from seen
        where seen.block = '{{ block }}' and {{ is_new('seen.load_id') }}
        union distinct
        select latest.movie_id
        from latest
        where {{ is_new('latest.' ~ block ~ '_load_id') }}
    )
    {% if are_some_to_name() %}

        union distinct

        select known.{{ key }}
        from {{ this }} as known
        where exists (
            select 1
            from seen
            where seen.block = '{{ block }}' and seen.first_seen_on is null and {{ is_new('seen.load_id') }}
        )
    {% endif %}
)
{%- endmacro %}

{#- The condition that a row of `source` is one of these members. -#}
{% macro is_to_name(source, key) -%}
    {{ source ~ '.' ~ key ~ ' in (select changed.' ~ key ~ ' from changed)' if are_some_to_name() else 'true' }}
{%- endmacro %}

{#- Whether it is some members only; a model made anew names all. -#}
{% macro are_some_to_name() %}
    {% do return(is_incremental() and not is_rebuild()) %}
{% endmacro %}

{#-
    SQL that adds the changed members which no list of `evidence` names any more: they have no load_id, and go. `columns`: the model's others.

    Not by an outer join: a list is looked up by two columns, which PostgreSQL takes for one row at most, and so it would join in a nested loop,
    through all that changed for each list.
-#}
{% macro named_by_nothing(key, columns) -%}
    {%- if are_some_to_name() -%}
        union all

        select
            changed.{{ key }},
            {% for column in columns %}
                null as {{ column }},
            {% endfor %}
            null as load_id
        from changed
        where changed.{{ key }} not in (select evidence.{{ key }} from evidence)
    {%- endif -%}
{%- endmacro %}
