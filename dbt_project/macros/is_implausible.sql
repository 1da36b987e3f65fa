{#- Whether a sum of money is one that hardly can be; `most`: the variable with the highest plausible one. -#}
{% macro is_implausible(money, most) -%}
    coalesce({{ money }} not between {{ var('least_plausible_money') }} and {{ var(most) }}, false)
{%- endmacro %}
