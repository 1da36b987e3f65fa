{#-
    What changed since a model last ran: the rows whose load_id lies above the model's watermark.

    The extractor commits its batches in the order of load_id, and whatever changes a row of staging gives it the load_id of the answer
    that did; so "above what I have taken" is exact, also for late days, repeated days and clocks that jump. How far a model may
    go is how far the models that it reads have come, so that a build of some models, or one that was killed, leaves nothing out.
    The bounds are literals: PostgreSQL then knows how few rows lie between them and uses the index.
-#}

{#- The condition on a row's load_id that the row is new to this model: it has not taken it yet, and all that it reads has come as far. -#}
{% macro is_new(column='load_id') -%}
    {{ column ~ ' > ' ~ (-1 if is_rebuild() else load_bounds().taken) ~ ' and ' if is_bounded() }}{{ is_available(column) }}
{%- endmacro %}

{#- The latter half of it. -#}
{% macro is_available(column='load_id') -%}
    {{ column }} {{ '<= ' ~ load_bounds().available if is_bounded() else 'is not null' }}
{%- endmacro %}

{#- Whether this is a build, and neither a unit test nor the parsing of the project: only then there are watermarks. -#}
{% macro is_bounded() %}
    {% do return(execute and flags.WHICH in ('run', 'build') and model.resource_type != 'unit_test') %}
{% endmacro %}

{#-
    Whether the model is made anew, from all of what it reads: `--full-refresh`, or it has never run. What staging has read is kept
    (meta.kept): there, only `reparse` reads anew, and what the landing zone no longer has stays.
-#}
{% macro is_rebuild() %}
    {% if not is_bounded() %}
        {% do return(true) %}
    {% endif %}
    {% set kept = (config.get('meta') or {}).get('kept', false) %}
    {% set asked = var('reparse') if kept else flags.FULL_REFRESH %}
    {% do return(asked or load_bounds().taken is none) %}
{% endmacro %}

{#- Whether a rebuild also takes away what it does not find: of all tables but those whose rows are kept. -#}
{% macro replaces_all() %}
    {% do return(is_rebuild() and not (config.get('meta') or {}).get('kept')) %}
{% endmacro %}

{#-
    SQL: whether all that this model reads has come to one load. Where it has not, as when only some models are built, a rebuild does not
    find a film of which one of them knows more than another, and must not take its rows for rows that are to go.
-#}
{% macro reads_one_load() -%}
    ({{ load_bounds().available }} = {{ load_bounds().ahead }})
{%- endmacro %}

{#-
    taken: the model's watermark, none where it has never run. available: the load up to which all that it reads is there; ahead: the
    load to which the first of them has come.
-#}
{% macro load_bounds() %}
    {% set row = asked_once(
        'bounds of ' ~ this,
        'select (select load_id from ' ~ bookkeeping_schema() ~ ".watermark where relation = '" ~ this.identifier ~ "'), " ~ available_load()
        ~ ', (select max(load_id) from ' ~ bookkeeping_schema() ~ ".watermark where relation in ('" ~ tables_read_by(model) | join("', '") ~ "'))"
    ) %}
    {% do return({
        'taken': row[0] | int if row[0] is not none and load_cached_relation(this) else none,
        'available': row[1] | int,
        'ahead': row[2] | int if row[2] is not none else row[1] | int,
    }) %}
{% endmacro %}

{#- SQL: the load up to which everything that this model reads is there. -#}
{% macro available_load() -%}
    least(
        (select load_id from {{ bookkeeping_schema() }}.build where invocation_id = '{{ invocation_id }}')
        {%- for parent in tables_read_by(model) | unique -%}
            , coalesce((select load_id from {{ bookkeeping_schema() }}.watermark where relation = '{{ parent }}'), 0)
        {%- endfor -%}
    )
{%- endmacro %}

{#- The names of the tables that a model reads, itself or through a view. -#}
{% macro tables_read_by(node) %}
    {% set tables = [] %}
    {% for id in node.depends_on.nodes if id in graph.nodes %}
        {% set parent = graph.nodes[id] %}
        {% if parent.config.materialized == 'incremental' %}
            {% do tables.append(parent.alias) %}
        {% elif parent.resource_type == 'model' %}
            {% do tables.extend(tables_read_by(parent)) %}
        {% endif %}
    {% endfor %}
    {% do return(tables) %}
{% endmacro %}

{#- SQL, in the model's own transaction: what it has taken. A rebuild that left what is to go has taken nothing more. -#}
{% macro record_watermark() %}
    {% if execute and not flags.EMPTY %}
        insert into {{ bookkeeping_schema() }}.watermark as known (relation, load_id)
        select '{{ this.identifier }}', {{ available_load() }}
        on conflict (relation) do update set
            load_id = {{ 'least(excluded.load_id, case when not ' ~ reads_one_load() ~ ' then known.load_id end)' if replaces_all() else 'excluded.load_id' }},
            updated_at = now()
    {% endif %}
{% endmacro %}

{#- The condition for rows of what landed since the build before the last one: what the tests of a day look at. -#}
{% macro landed_lately(column='load_id') -%}
    {{ column }} > (
        select coalesce(max(build.load_id), -1)
        from {{ bookkeeping_schema() }}.build
        where build.load_id < (select max(newest.load_id) from {{ bookkeeping_schema() }}.build as newest)
    )
{%- endmacro %}

{#-
    Post-hook of a table of which others read what is new. Without it PostgreSQL knows nothing of the loads since its last own look, takes
    them for one row, and joins thousands in nested loops. A sample of 3,000 rows is enough to tell, however long the table is.
-#}
{% macro analyze_loads() -%}
    set local default_statistics_target = 10;
    analyze {{ this }} (load_id)
{%- endmacro %}
