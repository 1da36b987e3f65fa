{#-
    The blocks that a full payload appends to a film (`append_to_response`), by the name that their columns carry here:
    {name: {path of a list that the block must hold: its JSON type}}. A block that is null, or TMDB's error object in its place, is not
    there, which says nothing of what it would hold. A new block is a line here and its own staging model and mart.
-#}
{% macro appended_blocks() %}
    {% do return({
        'credits': {'{credits,cast}': 'array', '{credits,crew}': 'array'},
        'keywords': {'{keywords,keywords}': 'array'},
        'release_dates': {'{release_dates,results}': 'array'},
        'watch_providers': {'{watch/providers,results}': 'object'},
        'translations': {'{translations,translations}': 'array'},
        'external_ids': {'{external_ids}': 'object'},
        'alternative_titles': {'{alternative_titles,titles}': 'array'},
        'videos': {'{videos,results}': 'array'},
    }) %}
{% endmacro %}

{#-
    What tells two contents of a block apart; NULL where the block is not there. `movie`: of what describes the film. `film`: the payload.
-#}
{% macro block_hash(block, film) %}
    {%- if block == 'movie' -%}
    {#- not what describes the film: its measures, and every block that TMDB can append -#}
    md5((
        {{ film }} - array[
            'popularity', 'vote_average', 'vote_count', 'account_states', 'alternative_titles', 'changes', 'credits', 'external_ids',
            'images', 'keywords', 'lists', 'recommendations', 'release_dates', 'reviews', 'similar', 'translations', 'videos',
            'watch/providers'
        ]
    )::text)::uuid
    {%- else -%}
    case
        when {{ block_is_there(block, film) }}
            then md5(
                '{{ block }}'
                {% for path in appended_blocks()[block] %}
                    {% if block == 'credits' %}
                        || {{ credits_text() }}({{ film }} #> '{{ path }}') || ';'
                    {% else %}
                        || ({{ film }} #> '{{ path }}')::text
                    {% endif %}
                {% endfor %}
            )::uuid
    end
    {%- endif -%}
{%- endmacro %}

{#- The condition that a block is there; NULL or false where it is missing, null, TMDB's error object, or anything else. -#}
{% macro block_is_there(block, film) -%}
    {%- for path, type in appended_blocks()[block].items() -%}
        {{ ' and ' if not loop.first }}jsonb_typeof({{ film }} #> '{{ path }}') = '{{ type }}'
    {%- endfor -%}
    {{ " and not " ~ film ~ " -> 'external_ids' ? 'status_code'" if block == 'external_ids' }}
{%- endmacro %}

{#- The function that makes a text of a list of credits; a macro, as each target has its own. -#}
{% macro credits_text() %}{{ bookkeeping_schema() }}.credits_text{% endmacro %}

{#-
    Makes that function. The popularity of people moves every day, and is no other list of credits. A function, since PostgreSQL would
    read all films on one core where a subquery looks at each.
-#}
{% macro create_credits_text() %}
    {% if execute and flags.WHICH in ('run', 'build', 'test') %}
        create or replace function {{ credits_text() }}(list jsonb) returns text
        language sql immutable parallel safe
        as $function$
            select coalesce(
                string_agg((case when jsonb_typeof(value) = 'object' then value end - 'popularity')::text, ','), ''
            )
            from jsonb_array_elements(list) as credit (value)
        $function$;
    {% endif %}
{% endmacro %}
