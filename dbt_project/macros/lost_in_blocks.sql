{#-
    What of a payload's blocks is lost, for `lost_fields`: {list: condition}. A list has lost something when one of its elements is left out,
    having no key, or has a value that becomes NULL. Said as JSON paths, which look at a block in one pass: the models of the blocks
    read but what is new, and an element that is left out has no row there.
-#}
{% macro lost_in_blocks(film) %}
    {%- set person = {
        'id': 'id', 'name': 'text', 'original_name': 'text', 'known_for_department': 'text', 'profile_path': 'text',
    } -%}
    {%- set lists = {
        'credits.cast': ('$.credits.cast[*]', dict(person, credit_id='key', character='text', order='count')),
        'credits.crew': ('$.credits.crew[*]', dict(person, credit_id='key', department='text', job='text')),
        'keywords': ('$.keywords.keywords[*]', {'id': 'id', 'name': 'text'}),
        'release_dates': ('$.release_dates.results[*]', {'iso_3166_1': 'key', 'release_dates': 'list'}),
        'release_dates.release_dates': ('$.release_dates.results[*].release_dates[*]', {
            'type': 'release_type', 'release_date': 'day', 'certification': 'text', 'note': 'text', 'iso_639_1': 'text',
        }),
        'watch/providers': ('$."watch/providers".results.*.* ? (@.type() != "string")', {
            'provider_id': 'id', 'provider_name': 'text', 'logo_path': 'text', 'display_priority': 'count',
        }),
        'translations': ('$.translations.translations[*]', {
            'iso_639_1': 'key', 'iso_3166_1': 'text', 'data.title': 'text', 'data.overview': 'text', 'data.tagline': 'text',
        }),
        'external_ids': ('$.external_ids.keyvalue() ? (@.key like_regex "._id$")', {'value': 'text'}),
        'alternative_titles': ('$.alternative_titles.titles[*]', {'title': 'key', 'iso_3166_1': 'text', 'type': 'text'}),
        'videos': ('$.videos.results[*]', {'type': 'text'}),
    } -%}
    {%- set conditions = {} -%}
    {%- for list, (path, fields) in lists.items() -%}
        {%- set losses = ['@.type() != "object"'] -%}
        {%- for field, kind in fields.items() -%}
            {%- do losses.append(value_is_lost('@.' ~ field, kind)) -%}
        {%- endfor -%}
        {%- do conditions.update({
            list: film ~ " ? '" ~ list.split('.')[0] ~ "' and " ~ film ~ " @? '" ~ path ~ " ? (" ~ losses | join(' || ') ~ ")'"
        }) -%}
    {%- endfor -%}
    {% do return(conditions) %}
{% endmacro %}

{#- The JSON path's predicate: `value`, a path, is something that the macros of json_fields.sql make NULL. A key must also be there. -#}
{% macro value_is_lost(value, kind) %}
    {%- set no_text = value ~ '.type() != "string" && ' ~ value ~ '.type() != "null"' -%}
    {%- set bounds = {'id': (0.5, '999999999999999999.5'), 'count': (-0.5, 2147483647.5), 'release_type': (0.5, 6.5)} -%}
    {%- if kind == 'text' -%}
        {% do return(no_text) %}
    {%- elif kind == 'key' -%}
        {% do return('!(' ~ value ~ '.type() == "string")') %}
    {%- elif kind == 'list' -%}
        {% do return(value ~ '.type() != "array" && ' ~ value ~ '.type() != "null"') %}
    {%- elif kind == 'day' -%}
        {%- set day = '(1[89]|[2-9][0-9])[0-9]{2}-((0[13578]|1[02])-(0[1-9]|[12][0-9]|3[01])|(0[469]|11)-(0[1-9]|[12][0-9]|30)|02-(0[1-9]|[12][0-9]))' -%}
        {% do return(no_text ~ ' || ' ~ value ~ ' like_regex "[^ ]" && !(' ~ value ~ ' like_regex "^' ~ day ~ '(T|$)")') %}
    {%- else -%}
        {%- set least, most = bounds[kind] -%}
        {%- set in_range = value ~ ' >= ' ~ least ~ ' && ' ~ value ~ ' < ' ~ most -%}
        {%- set digits = value ~ ' like_regex "^[+-]?[0-9]{1,18}([.][0-9]{1,18})?$"' -%}
        {#- most are numbers within the range, of which nothing else is asked -#}
        {% do return(
            '!(' ~ value ~ '.type() == "number" && ' ~ in_range ~ ') && ('
            ~ ('!exists(' ~ value ~ ') || ' ~ value ~ ' == null || ' if kind == 'id' else '')
            ~ value ~ '.type() == "number" || ' ~ no_text ~ ' || ' ~ value ~ ' like_regex "[^ ]" && !('
            ~ digits ~ ' && ' ~ value ~ '.double() >= ' ~ least ~ ' && ' ~ value ~ '.double() < ' ~ most ~ '))'
        ) %}
    {%- endif -%}
{% endmacro %}
