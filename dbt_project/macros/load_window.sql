{#-
    Which rows of the landing zone a model takes: those with a load_id above the model's watermark, up to the run's horizon.

    The extractor commits its batches in the order of load_id, so "above what I have taken" is exact, also for late dates,
    same-day re-runs and clocks that jump. A watermark is kept in a table of its own and not read as max(load_id) of the
    model, because an upsert leaves unchanged rows alone: a dimension that did not change for a month would
    read that month again every day. The horizon is fixed when dbt starts, so that facts never see a film
    that landed after the dimensions were built.

    The bounds are literals, not subqueries: PostgreSQL then knows how few rows lie between them and uses the index.
-#}

{% macro load_watermark_table() %}marts.load_watermark{% endmacro %}

{% macro load_horizon_table() %}marts.load_horizon{% endmacro %}

{% macro begin_load_window() %}
    {% if execute and flags.WHICH in ('run', 'build') %}
        {% set landing_zone = source('tmdb', 'tmdb_response') %}
        {% if landing_zone_exists() %}
            {% do refuse_replaced_landing_zone(landing_zone) %}
        {% else %}
            {% do exceptions.warn(
                'There is no landing zone yet (' ~ landing_zone ~ '): every table will be empty.'
                ~ ' Land films first, with `make extract` or `make demo`.'
            ) %}
        {% endif %}
        create schema if not exists marts;
        create table if not exists {{ load_watermark_table() }} (
            relation text primary key,
            load_id bigint not null,
            updated_at timestamptz not null default now()
        );
        create table if not exists {{ load_horizon_table() }} (
            invocation_id text primary key,
            load_id bigint not null,
            started_at timestamptz not null default now()
        );
        delete from {{ load_horizon_table() }}
        where started_at < (select started_at from {{ load_horizon_table() }} order by started_at desc offset 100 limit 1);
        insert into {{ load_horizon_table() }} (invocation_id, load_id)
        select '{{ invocation_id }}', {{ 'coalesce(max(load_id), 0) from ' ~ landing_zone if landing_zone_exists() else '0' }};
    {% endif %}
{% endmacro %}

{#- A landing zone that has issued fewer loads than the marts have taken would never be read again, silently. -#}
{% macro refuse_replaced_landing_zone(landing_zone) %}
    {% set watermark = adapter.get_relation(target.database, 'marts', 'load_watermark') %}
    {% if watermark and not flags.FULL_REFRESH %}
        {% set taken, issued = run_query(
            'select (select coalesce(max(load_id), 0) from ' ~ watermark ~ '), last_value'
            ~ ' from ' ~ landing_zone.schema ~ '.load_id_seq'
        ).rows[0] %}
        {% if taken > issued %}
            {% do exceptions.raise_compiler_error(
                'The marts have taken load ' ~ taken ~ ' but the landing zone has issued only ' ~ issued
                ~ ': it was replaced by another or an older one. Nothing was changed.'
                ~ ' To build the marts from the landing zone as it is now: dbt build --full-refresh'
            ) %}
        {% endif %}
    {% endif %}
{% endmacro %}

{#- The last load this model may take in this run: the run's horizon, or less where a parent that its foreign keys
    point at has not come so far (meta.loads_after). -#}
{% macro load_horizon() %}
    {% set parents = config.get('meta', {}).get('loads_after', []) %}
    {% set query %}
        select least(
            (select load_id from {{ load_horizon_table() }} where invocation_id = '{{ invocation_id }}')
            {% for parent in parents %}
                , (select load_id from {{ load_watermark_table() }} where relation = '{{ parent }}')
            {% endfor %}
        )
    {% endset %}
    {% do return(run_query(query).rows[0][0] | int) %}
{% endmacro %}

{#- The condition on load_id for the rows that are new to this model. -#}
{% macro load_window(column='load_id') %}
    {%- if execute and flags.WHICH in ('run', 'build') -%}
        {%- set taken = -1 -%}
        {%- if is_incremental() -%}
            {%- set stored = run_query(
                'select load_id from ' ~ load_watermark_table() ~ " where relation = '" ~ this.identifier ~ "'"
            ).rows -%}
            {%- set taken = stored[0][0] if stored else -1 -%}
        {%- else -%}
            {%- do refuse_to_lose_pruned_history() -%}
        {%- endif -%}
        {{ column }} > {{ taken }} and {{ column }} <= {{ load_horizon() }}
    {%- else -%}
        {{ column }} > -1
    {%- endif -%}
{% endmacro %}

{#- What `extractor prune` dropped lives on in the marts alone: a full refresh would lose it without a word. -#}
{% macro refuse_to_lose_pruned_history() %}
    {% set landing_zone = source('tmdb', 'tmdb_response') %}
    {% set prune_log = adapter.get_relation(landing_zone.database, landing_zone.schema, 'prune_log') %}
    {% if load_relation(this) and prune_log and not var('accept_history_loss', false) %}
        {% set pruned_to = run_query('select max(last_date) from ' ~ prune_log).rows[0][0] %}
        {% if pruned_to %}
            {% do exceptions.raise_compiler_error(
                'A full refresh of ' ~ this.identifier ~ ' would lose history: the landing zone was pruned and no longer holds all days up to '
                ~ pruned_to ~ '. Nothing was changed. To rebuild it from the days that are left, all the same:'
                ~ " dbt build --full-refresh --vars 'accept_history_loss: true'"
            ) %}
        {% endif %}
    {% endif %}
{% endmacro %}

{#- The condition on load_id for rows that were landed before this run began, new to this model or not. -#}
{% macro within_load_horizon(column='load_id') %}
    {%- if execute and flags.WHICH in ('run', 'build') -%}
        {{ column }} <= {{ load_horizon() }}
    {%- else -%}
        {{ column }} > -1
    {%- endif -%}
{% endmacro %}

{#- Post-hook, in the transaction of the model itself: what the model has taken. -#}
{% macro record_load_watermark() %}
    {% if execute %}
        insert into {{ load_watermark_table() }} (relation, load_id)
        values ('{{ this.identifier }}', {{ load_horizon() }})
        on conflict (relation) do update set load_id = excluded.load_id, updated_at = now()
    {% endif %}
{% endmacro %}
