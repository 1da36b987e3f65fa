{#- What an element of a film's cast or crew says of the person. TMDB's gender: 0 unknown, 1 female, 2 male, 3 non-binary. -#}
{% macro person_fields(credit) -%}
    {{ json_id(credit) }} as person_id,
    {{ json_text(credit, 'name') }} as name,
    {{ json_text(credit, 'original_name') }} as original_name,
    (array['Female', 'Male', 'Non-binary'])[{{ json_id(credit, 'gender', 'integer', at_most=3) }}] as gender,
    {{ json_text(credit, 'known_for_department') }} as known_for_department,
    {{ json_text(credit, 'profile_path') }} as profile_path
{%- endmacro %}
