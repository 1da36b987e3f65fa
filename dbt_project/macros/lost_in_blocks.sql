{#-
    What of a payload is lost, for `lost_fields`: {list: condition}. The models of the blocks read but what is new, and an element that is left
    out has no row there, so it is found in the payload: in its appended blocks, and in the lists of what describes the film.
-#}
{% macro lost_in_blocks(film) %}
    {%- set person = {
        'id': 'id', 'name': 'text', 'original_name': 'text', 'gender': 'gender', 'known_for_department': 'text', 'profile_path': 'text',
    } -%}
    {%- set conditions = lost_in_lists(film, {
        'credits.cast': ('$.credits.cast', dict(person, credit_id='credit', character='text', order='count')),
        'credits.crew': ('$.credits.crew', dict(person, credit_id='credit', department='text', job='text')),
        'keywords': ('$.keywords.keywords', {'id': 'id', 'name': 'text'}),
        'release_dates': ('$.release_dates.results', {'iso_3166_1': 'key', 'release_dates': 'list'}),
        'release_dates.release_dates': ('$.release_dates.results.release_dates', {
            'type': 'release_type', 'release_date': 'day', 'certification': 'optional_key', 'note': 'text', 'iso_639_1': 'text',
        }),
        'watch/providers': ('$."watch/providers".results.*.* ? (@.type() != "string")', {
            'provider_id': 'id', 'provider_name': 'text', 'logo_path': 'text', 'display_priority': 'count',
        }),
        'watch/providers.country': ('$."watch/providers".results.*', {}),
        'translations': ('$.translations.translations', {
            'iso_639_1': 'key', 'iso_3166_1': 'optional_key', 'data.title': 'text', 'data.overview': 'text', 'data.tagline': 'text',
        }),
        'external_ids': ('$.external_ids.keyvalue() ? (@.key like_regex "._id$")', {'key': 'key', 'value': 'optional_title'}),
        'alternative_titles': ('$.alternative_titles.titles', {'title': 'title', 'iso_3166_1': 'optional_key', 'type': 'text'}),
        'videos': ('$.videos.results', {'type': 'text'}),
    }) -%}
    {#- a block that is wrong as a whole -#}
    {%- for block, lists in appended_blocks().items() -%}
        {%- set name = (lists | first)[1:-1].split(',')[0] -%}
        {%- set condition = film ~ " ? '" ~ name ~ "' and (" ~ block_is_there(block, film) ~ ') is not true' -%}
        {%- do conditions.update({name: condition ~ (' or ' ~ conditions[name] if name in conditions else '')}) -%}
    {%- endfor -%}
    {% do return(conditions) %}
{% endmacro %}

{#- The same of the film's own fields that are lists, objects, or true and false. -#}
{% macro lost_in_description(film) %}
    {%- set conditions = lost_in_lists(film, {
        'genres': ('$.genres', {'id': 'id', 'name': 'text'}),
        'production_companies': ('$.production_companies', {'id': 'id', 'name': 'text', 'logo_path': 'text', 'origin_country': 'text'}),
        'production_countries': ('$.production_countries', {'iso_3166_1': 'key', 'name': 'text'}),
        'spoken_languages': ('$.spoken_languages', {'iso_639_1': 'key', 'english_name': 'text', 'name': 'text'}),
    }) -%}
    {%- do conditions.update({
        'origin_country': film ~ " @? '$.origin_country ? (" ~ value_is_lost('@', 'optional_key') ~ ")'",
        'belongs_to_collection.name': film ~ " @? '$.belongs_to_collection ? ("
            ~ [value_is_lost('@.name', 'text'), value_is_lost('@.poster_path', 'text'), value_is_lost('@.backdrop_path', 'text')] | join(' || ') ~ ")'",
    }) -%}
    {%- for list in ['genres', 'production_companies', 'production_countries', 'spoken_languages', 'origin_country'] -%}
        {%- do conditions.update({
            list: "(jsonb_typeof(" ~ film ~ " -> '" ~ list ~ "') <> 'array' or " ~ conditions[list] ~ ')',
        }) -%}
    {%- endfor -%}
    {%- for field in ['adult', 'video'] -%}
        {%- do conditions.update({field: "jsonb_typeof(" ~ film ~ " -> '" ~ field ~ "') not in ('boolean', 'null')"}) -%}
    {%- endfor -%}
    {% do return(conditions) %}
{% endmacro %}

{#-
    The conditions that a list has lost something: one of its elements is left out, having no key, or has a value that becomes NULL. `lists`:
    {name: (path of the list, {field: kind of value})}. JSON paths, as they look at a list in one pass.
-#}
{% macro lost_in_lists(film, lists) %}
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
    {%- set too_long = {'key': '^.{41}', 'title': '^(.{100}){4}.'} -%}
    {%- set numbers = {
        'id': (0.5, '999999999999999999.5'), 'release_type': (0.5, 6.5), 'gender': (-0.5, 3.5), 'count': (-0.5, 2147483647.5),
    } -%}
    {%- set choices = {'release_type': [3, 4, 1, 2, 5, 6], 'gender': [2, 1, 0, 3]} -%}
    {%- if kind == 'text' -%}
        {% do return(no_text) %}
    {%- elif kind == 'credit' -%}
        {#- how long it is is not asked: there are a hundred in a film, and each would take longer than all else that is asked of it -#}
        {% do return('!(' ~ value ~ '.type() == "string")') %}
    {%- elif kind in too_long -%}
        {% do return('!(' ~ value ~ '.type() == "string") || ' ~ value ~ ' like_regex "' ~ too_long[kind] ~ '" flag "s"') %}
    {%- elif kind.startswith('optional_') -%}
        {% do return(no_text ~ ' || ' ~ value ~ ' like_regex "' ~ too_long[kind.split('_')[1]] ~ '" flag "s"') %}
    {%- elif kind == 'list' -%}
        {% do return(value ~ '.type() != "array" && ' ~ value ~ '.type() != "null"') %}
    {%- elif kind == 'day' -%}
        {%- set leap_year = '([0-9]{2}(0[48]|[2468][048]|[13579][26])|([2468][048]|[13579][26])00)' -%}
        {%- set day = '[0-9]{4}-((0[13578]|1[02])-(0[1-9]|[12][0-9]|3[01])|(0[469]|11)-(0[1-9]|[12][0-9]|30)|02-(0[1-9]|1[0-9]|2[0-8]))' -%}
        {% do return(
            no_text ~ ' || ' ~ value ~ ' like_regex "[^ ]" && (!(' ~ value ~ ' like_regex "^(1[89]|[2-9][0-9])") || !('
            ~ value ~ ' like_regex "^(' ~ day ~ '|' ~ leap_year ~ '-02-29)(T|$)"))'
        ) %}
    {%- else -%}
        {%- set least, most = numbers[kind] -%}
        {%- set in_range = value ~ ' >= ' ~ least ~ ' && ' ~ value ~ ' < ' ~ most -%}
        {%- set is_whole = kind != 'count' -%}
        {%- set digits = value ~ ' like_regex "^[+-]?[0-9]{1,18}([.]' ~ ('0' if is_whole else '[0-9]') ~ '{1,18})?$"' -%}
        {#- most are numbers within the range, of which nothing else is asked -#}
        {%- set usual = value ~ '.type() == "number" && ' ~ in_range ~ (' && ' ~ value ~ ' % 1 == 0' if is_whole else '') -%}
        {%- if kind in choices -%}
            {%- set usual = value ~ ' == ' ~ choices[kind] | join(' || ' ~ value ~ ' == ') -%}
        {%- endif -%}
        {% do return(
            '!(' ~ usual ~ ') && ('
            ~ ('!exists(' ~ value ~ ') || ' ~ value ~ ' == null || ' if kind == 'id' else '')
            ~ value ~ '.type() == "number" || ' ~ no_text ~ ' || ' ~ value ~ ' like_regex "[^ ]" && !('
            ~ digits ~ ' && ' ~ value ~ '.double() >= ' ~ least ~ ' && ' ~ value ~ '.double() < ' ~ most ~ '))'
        ) %}
    {%- endif -%}
{% endmacro %}
