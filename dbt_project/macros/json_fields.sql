{#- How the fields of TMDB's JSON become typed columns; a value of an unexpected kind is NULL, never a failed run. -#}

{#- Text in Unicode's composed form, so that equal titles compare equal; '' means unknown. -#}
{% macro json_text(field) -%}
    nullif(normalize({{ field }}, nfc), '')
{%- endmacro %}

{#- A whole number of `type`; TMDB writes the same value as 7 or as 7.0. -#}
{% macro json_integer(field, type='integer') -%}
    case
        when pg_input_is_valid({{ field }}, 'numeric')
            then case
                when pg_input_is_valid(round({{ field }}::numeric)::text, '{{ type }}')
                    then round({{ field }}::numeric)::{{ type }}
            end
    end
{%- endmacro %}

{% macro json_decimal(field, type) -%}
    case when pg_input_is_valid({{ field }}, '{{ type }}') then {{ field }}::{{ type }} end
{%- endmacro %}

{#- 'YYYY-MM-DD'; '' means unknown. -#}
{% macro json_date(field) -%}
    case when pg_input_is_valid({{ field }}, 'date') then {{ field }}::date end
{%- endmacro %}

{#- The elements of a field that should be an array, as rows; none where it is something else. -#}
{% macro json_elements(field) -%}
    jsonb_array_elements(case when jsonb_typeof({{ field }}) = 'array' then {{ field }} end)
{%- endmacro %}
