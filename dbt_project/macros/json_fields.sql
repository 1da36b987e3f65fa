{#-
    How a field of TMDB's JSON becomes a typed value. A value that cannot be (of the wrong type, out of its range, a word such as
    "NaN" or "today" that PostgreSQL would take) is NULL and never stops a day; `lost_fields` names it.

    `json`: the object, as jsonb; `field`: the key.
-#}

{#-
    Text in Unicode's composed form, its HTML entities decoded; NULL where nothing can be read in it. Most texts are plain ASCII without
    an ampersand, and need no more than one look.
-#}
{% macro json_text(json, field) -%}
    {{ readable_text("(" ~ json ~ " -> '" ~ field ~ "')", "(" ~ json ~ " ->> '" ~ field ~ "')") }}
{%- endmacro %}

{#- The same of any value: `value` as jsonb, `text` as text. -#}
{% macro readable_text(value, text) -%}
    case
        when jsonb_typeof({{ value }}) <> 'string' then null
        when {{ text }} ~ '^[!-%''-~][ -%''-~]*$' then {{ text }}
        when {{ text }} ~ '&#?[A-Za-z0-9]+;' then {{ decode_html() }}({{ text }})
        when btrim({{ text }}, {{ blanks() }}) <> '' then normalize({{ text }}, nfc)
    end
{%- endmacro %}

{#- A number, or the text of one, from `at_least` to `at_most`, as `type`. -#}
{% macro json_decimal(json, field, type, at_least, at_most) -%}
    {{ number_within("(" ~ json ~ " -> '" ~ field ~ "')", "(" ~ json ~ " ->> '" ~ field ~ "')", '', type, at_least, at_most) }}
{%- endmacro %}

{#- The same, rounded to a whole one; TMDB writes the same value as 7, as 7.0 and, rarely, as "7". -#}
{% macro json_integer(json, field, type='integer', at_least=0, at_most=2147483647) -%}
    {{ number_within("(" ~ json ~ " -> '" ~ field ~ "')", "(" ~ json ~ " ->> '" ~ field ~ "')", 'round', type, at_least, at_most) }}
{%- endmacro %}

{#-
    `value`, `text`: the field as jsonb and as text. Values of jsonb are ordered by their types first, so that only a number lies between two
    numbers; what is not that may be the text of one, or one that is rounded into the range.
-#}
{% macro number_within(value, text, rounded, type, at_least, at_most) -%}
    case
        when {{ value }} between '{{ at_least }}' and '{{ at_most }}' then {{ value }}::{{ type }}
        when {{ text }} ~ '^[+-]?[0-9]{1,18}([.][0-9]{1,18})?$'
            then case
                when {{ rounded }}({{ text }}::numeric) between {{ at_least }} and {{ at_most }}
                    then {{ rounded }}({{ text }}::numeric)::{{ type }}
            end
    end
{%- endmacro %}

{#- TMDB's number of a thing. -#}
{% macro json_id(json, field='id') -%}
    {{ json_integer(json, field, 'bigint', at_least=1, at_most=999999999999999999) }}
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

{#-
    text[]: the fields of `json` that hold something which did not become a value. `typed`: {field: its typed value}; '', null and a
    missing field say that TMDB knows nothing, and are not lost. `also`: {name: condition} of what is lost in another way.
-#}
{% macro lost_fields(json, typed, also={}) -%}
    array_remove(array[
        {%- for field, value in typed.items() %}
            case
                when {{ value }} is null and btrim({{ json }} ->> '{{ field }}', {{ blanks() }}) <> '' then '{{ field }}'
            end{{ ',' if not loop.last or also }}
        {%- endfor %}
        {%- for name, condition in also.items() %}
            case when {{ condition }} then '{{ name }}' end{{ ',' if not loop.last }}
        {%- endfor %}
    ]::text[], null)
{%- endmacro %}

{#-
    One row with arrays that run beside each other, a place for each member of the list `field`, and `lost`: whether an element has no key
    and was left out. `columns`: {array: expression over `member`}, the key's first. A key that is there twice, be it in two spellings,
    counts once.
-#}
{% macro json_members(json, field, key, columns) -%}
    {%- set names = columns.keys() | list -%}
    (
        select
            {% for name in names %}
                coalesce(array_agg({{ name }} order by {{ names[0] }}) filter (where {{ names[0] }} is not null), '{}') as {{ name }},
            {% endfor %}
            coalesce(bool_or({{ names[0] }} is null and not is_unknown), false) as lost
        from (
            select
                {{ columns[names[0]] }} as {{ names[0] }},
                {% for name in names[1:] %}
                    max({{ columns[name] }}) as {{ name }},
                {% endfor %}
                -- TMDB writes '' where it knows no code
                coalesce(bool_and(member ->> '{{ key }}' = ''), false) as is_unknown
            from {{ json_elements(json ~ " -> '" ~ field ~ "'") }} as element (member)
            group by 1
        ) as distinct_member
    )
{%- endmacro %}
