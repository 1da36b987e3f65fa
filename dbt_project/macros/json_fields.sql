{#-
    How a field of TMDB's JSON becomes a typed value. A value that cannot be (of the wrong type, out of its range, a word such as
    "NaN" or "today" that PostgreSQL would take) is NULL and never stops a day; `lost_fields` names it.

    `json`: the object, as jsonb; `field`: the key. Without a key, it is the value itself.
-#}

{#- SQL of a field as jsonb, and as text. -#}
{% macro value_and_text(json, field) %}
    {% if field %}
        {% do return(("(" ~ json ~ " -> '" ~ field ~ "')", "(" ~ json ~ " ->> '" ~ field ~ "')")) %}
    {% endif %}
    {% do return((json, "(" ~ json ~ " #>> '{}')")) %}
{% endmacro %}

{#-
    Text in Unicode's composed form, its HTML entities decoded; NULL where nothing can be read in it. Most texts are plain ASCII without
    an ampersand, and need no more than one look.
-#}
{% macro json_text(json, field=none) -%}
    {%- set value, text = value_and_text(json, field) -%}
    case
        when jsonb_typeof({{ value }}) <> 'string' then null
        when {{ text }} ~ '^[!-%''-~][ -%''-~]*$' then {{ text }}
        when {{ text }} ~ '&#?[A-Za-z0-9]+;' then {{ decode_html() }}({{ text }})
        when {{ is_readable(text) }} then normalize({{ text }}, nfc)
    end
{%- endmacro %}

{#-
    Text that is part of a key, such as a code. An index holds no row of more than 2,700 bytes: a text of more than `longest` characters
    is no key.
-#}
{% macro json_key(json, field=none, longest=40) -%}
    case when length({{ value_and_text(json, field)[1] }}) <= {{ longest }} then {{ json_text(json, field) }} end
{%- endmacro %}

{#-
    A number, or the text of one, from `at_least` to `at_most`, as `type`. Values of jsonb are ordered by their types first, so that only a
    number lies between two numbers; what is not that may be the text of one, or one that is `rounded`, by that function, into the range.
    `is_whole`: what has a fraction is no number.
-#}
{% macro json_decimal(json, field, type, at_least, at_most, rounded='', is_whole=false) -%}
    {%- set value, text = value_and_text(json, field) -%}
    case
        when {{ value }} between '{{ at_least }}' and '{{ at_most }}' {{ 'and ' ~ value ~ '::numeric % 1 = 0' if is_whole }}
            then {{ value }}::{{ type }}
        when {{ text }} ~ '^[+-]?[0-9]{1,18}([.]{{ '0' if is_whole else '[0-9]' }}{1,18})?$'
            then case
                when {{ rounded }}({{ text }}::numeric) between {{ at_least }} and {{ at_most }}
                    then {{ rounded }}({{ text }}::numeric)::{{ type }}
            end
    end
{%- endmacro %}

{#- The same, rounded to a whole one; TMDB writes the same value as 7, as 7.0 and, rarely, as "7". -#}
{% macro json_integer(json, field, type='integer', at_least=0, at_most=2147483647) -%}
    {{ json_decimal(json, field, type, at_least, at_most, rounded='round') }}
{%- endmacro %}

{#- TMDB's number of a thing: 18 and 18.0, but not 18.5, which would be another's number if it were rounded. -#}
{% macro json_id(json, field='id', type='bigint', at_most=999999999999999999) -%}
    {{ json_decimal(json, field, type, 1, at_most, is_whole=true) }}
{%- endmacro %}

{#- 'YYYY-MM-DD', whatever the session's DateStyle; no film was shown before 1800. -#}
{% macro json_date(json, field) -%}
    {{ valid_date("(" ~ json ~ " ->> '" ~ field ~ "')") }}
{%- endmacro %}

{#- The same of a text. -#}
{% macro valid_date(text) -%}
    case
        when {{ text }} ~ '^(1[89]|[2-9][0-9])[0-9]{2}-[0-9]{2}-[0-9]{2}$'
            then case when pg_input_is_valid({{ text }}, 'date') then {{ text }}::date end
    end
{%- endmacro %}

{#- The elements of a field that should be an array, as rows (value); none where it is something else. -#}
{% macro json_elements(array) -%}
    jsonb_array_elements(case when jsonb_typeof({{ array }}) = 'array' then {{ array }} end)
{%- endmacro %}

{#- The fields of an object, as rows (key, value); none where it is something else. -#}
{% macro json_fields(object) -%}
    jsonb_each(case when jsonb_typeof({{ object }}) = 'object' then {{ object }} end)
{%- endmacro %}

{#-
    text[]: the fields of `json` that hold something which did not become a value. `typed`: {field: its typed value}; '', null and a
    missing field say that TMDB knows nothing, and are not lost. `also`: {name: condition} of what is lost in another way.
-#}
{% macro lost_fields(json, typed, also={}) -%}
    array_remove(array[
        {%- for field, value in typed.items() %}
            case
                when {{ value }} is null and {{ is_readable("(" ~ json ~ " ->> '" ~ field ~ "')") }} then '{{ field }}'
            end{{ ',' if not loop.last or also }}
        {%- endfor %}
        {%- for name, condition in also.items() %}
            case when {{ condition }} then '{{ name }}' end{{ ',' if not loop.last }}
        {%- endfor %}
    ]::text[], null)
{%- endmacro %}

{#-
    One row with arrays that run beside each other, a place for each member of the list `field`. `columns`: {array: expression over `member`},
    the key's first; what has no key is left out. A key that is there twice, be it in two spellings, counts once.
-#}
{% macro json_members(json, field, columns) -%}
    {%- set names = columns.keys() | list -%}
    (
        select
            {% for name in names %}
                coalesce(array_agg({{ name }} order by {{ names[0] }}) filter (where {{ names[0] }} is not null), '{}') as {{ name }}
                {{- ',' if not loop.last }}
            {% endfor %}
        from (
            select
                {{ columns[names[0]] }} as {{ names[0] }}
                {% for name in names[1:] %}
                    , max({{ columns[name] }}) as {{ name }}
                {% endfor %}
            from {{ json_elements(json ~ " -> '" ~ field ~ "'") }} as element (member)
            group by 1
        ) as distinct_member
    )
{%- endmacro %}
