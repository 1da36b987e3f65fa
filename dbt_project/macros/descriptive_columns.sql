{#- The columns of stg_tmdb__movie_version that describe a film. What they were on each day is its history; the measures are not among them. -#}
{% macro descriptive_columns() %}
    {% do return([
        'title', 'original_title', 'original_language', 'release_date', 'status', 'runtime', 'budget', 'revenue',
        'imdb_id', 'collection_id', 'collection_name', 'tagline', 'overview', 'homepage', 'poster_path',
        'backdrop_path', 'is_adult', 'is_video',
    ]) %}
{% endmacro %}

{#- Those of them that TMDB gives in the language asked for. -#}
{% macro translated_columns() %}
    {% do return(['title', 'collection_name', 'tagline', 'overview', 'homepage', 'poster_path', 'backdrop_path']) %}
{% endmacro %}

{#- By which two descriptions of a film are told apart; `row`: the table's alias. -#}
{% macro description_hash(row) -%}
    md5(row(
        {%- for column in descriptive_columns() %}{{ row }}.{{ column }}{{ ', ' if not loop.last }}{% endfor -%}
    )::text)::uuid
{%- endmacro %}
