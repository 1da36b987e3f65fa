{#-
    What a model reads in place of a table of the landing zone: its columns as its YAML describes them, NULL where an old landing zone does not
    have one yet, and no rows before anything has landed.
-#}
{% macro landing_zone_table(name) -%}
    {%- set relation = source('tmdb', name) -%}
    {#- (a unit test's rows have no database) -#}
    {%- if not execute or not relation.database -%}
        {{ relation }}
    {%- else -%}
        {%- set there = asked_once(
            'columns of ' ~ name,
            "select string_agg(attname, ' ') from pg_attribute where attnum > 0 and not attisdropped and attrelid = to_regclass('"
            ~ relation.include(database=false).render() ~ "')"
        )[0] -%}
        (
            select
                {% for column in graph.sources['source.tmdb.tmdb.' ~ name].columns.values() -%}
                    {{ column.name if column.name in (there or '').split() else 'null::' ~ column.data_type ~ ' as ' ~ column.name }}
                    {{- ', ' if not loop.last }}
                {%- endfor %}
            {{ 'from ' ~ relation if there else 'where false' }}
        ) as {{ name }}
    {%- endif -%}
{%- endmacro %}

{#- The rows of the landing zone of `resource` that are new to the model, all of them when it is made anew. `condition`: which of them instead. -#}
{% macro landed(resource, condition=none) -%}
    (
        select *
        from {{ landing_zone_table('tmdb_response') }}
        where resource = '{{ resource }}' and {{ condition or is_new() }}
    ) as landed
{%- endmacro %}

{#- {block: the column of stg_tmdb__movie_snapshot with its hash}; `movie` is what describes the film. -#}
{% macro hashes_of_blocks(relation=none) %}
    {% set prefix = relation ~ '.' if relation else '' %}
    {% set hashes = {'movie': prefix ~ 'content_hash'} %}
    {% for block in appended_blocks() %}
        {% do hashes.update({block: prefix ~ block ~ '_hash'}) %}
    {% endfor %}
    {% do return(hashes) %}
{% endmacro %}

{#-
    Rows (movie_id, version_hash, film, load_id): the versions of a `block` that are new to the model, each with a payload that shows it. For
    the models that type what a block holds. A version is taken from its first day, whenever that landed: another day may have been the first until
    now; read anew, from the first day that was not pruned. The day may have landed again since the version was told apart: then it shows
    the version if its hash is the same.
-#}
{% macro new_versions(block) -%}
    {#- (when the project is parsed, all that may be read is named) #}
    {%- if not execute -%}
        {%- do ref('stg_tmdb__movie_snapshot') -%}
    {%- endif -%}
    {%- set is_reread = var('reparse') and model.resource_type != 'unit_test' -%}
    (
        select
            version.movie_id,
            version.version_hash,
            landed.film,
            version.load_id
        from (
            select
                movie_id,
                version_hash,
                first_seen_on,
                load_id
            from {{ ref('stg_tmdb__block_version') }}
            where block = '{{ block }}' and first_seen_on is not null and {{ is_new() }}
        ) as version
        {% if is_reread %}
            inner join (
                select
                    snapshot.movie_id,
                    snapshot.{{ hashes_of_blocks()[block] }} as version_hash,
                    min(snapshot.snapshot_date) as landed_on
                from {{ landed('movie', 'true') }}
                inner join {{ ref('stg_tmdb__movie_snapshot').render() }} as snapshot
                    on landed.resource_id = snapshot.movie_id and landed.snapshot_date = snapshot.snapshot_date
                where snapshot.{{ hashes_of_blocks()[block] }} is not null
                group by snapshot.movie_id, snapshot.{{ hashes_of_blocks()[block] }}
            ) as shown on version.movie_id = shown.movie_id and version.version_hash = shown.version_hash
        {% endif %}
        inner join (
            select
                resource_id,
                snapshot_date,
                film.film,
                load_id
            from {{ landed('movie', 'true') }}
            cross join lateral jsonb_path_query(payload, '$') as film (film)
            where http_status = 200 and jsonb_typeof(film.film) = 'object'
        ) as landed
            on
                version.movie_id = landed.resource_id
                and {{ 'shown.landed_on' if is_reread else 'version.first_seen_on' }} = landed.snapshot_date
                and ({{ is_available('landed.load_id') }} or {{ block_hash(block, 'landed.film') }} = version.version_hash)
    )
{%- endmacro %}

{#- Post-hook of those models: what a version held goes with it. `hash`: the model's column. -#}
{% macro drop_withdrawn_versions(hash) %}
    {% if execute %}
        delete from {{ this }} as row_of_version
        using {{ ref('stg_tmdb__block_version').render() }} as version
        where
            version.movie_id = row_of_version.movie_id
            and version.version_hash = row_of_version.{{ hash }}
            and version.first_seen_on is null
    {% endif %}
{% endmacro %}
