{#-
    The order in which evidence of a name counts, best first, of rows with name, name_source, is_current, named_on, movie_id: a
    name before none; TMDB's list before films, and films before a bare code; what a film says today before what it once said;
    then what was first said last, and of the same day the film with the higher id. The first three are one number: they are mostly the
    same, and to compare each on its own would be most of the sorting.
-#}
{% macro best_evidence(evidence) -%}
    case when {{ evidence }}.name is null then 8 else 0 end
    + case when {{ evidence }}.name_source = 'list' then 0 when {{ evidence }}.name_source = 'film' then 2 else 4 end
    + case when {{ evidence }}.is_current then 0 else 1 end asc,
    {{ evidence }}.named_on desc,
    {{ evidence }}.movie_id desc
{%- endmacro %}

{#-
    The condition that a row of `evidence` may be the best of its `key`: what a film once said need not be sorted where some film still says
    what it is called. (Citus would first gather on the coordinator who is named.)
-#}
{% macro may_be_best(evidence, key) -%}
    {%- if on_citus() -%}
        true
    {%- else -%}
        (
            {{ evidence }}.is_current
            or {{ evidence }}.{{ key }} not in (
                select named.{{ key }}
                from {{ evidence }} as named
                where named.is_current and named.name is not null
            )
        )
    {%- endif -%}
{%- endmacro %}

{#- Whether TMDB's newest list has a row's `key`; beside it stands the CTE `list` of all that it ever had. -#}
{% macro is_listed(row, key) -%}
    {{ row }}.{{ key }} in (
        select list.{{ key }}
        from list
        where list.list_date = (select max(newest.list_date) from list as newest)
    )
{%- endmacro %}
