{#-
    Notes how each data test of this run ended (vw_data_quality shows it), forgets tests that the project no longer has, and tells in a few
    lines what failed.
-#}
{% macro record_test_results(results) %}
    {% set tested = results | selectattr('node.resource_type', 'equalto', 'test')
        | selectattr('status', 'in', ['pass', 'warn', 'fail', 'error']) | list %}
    {% if execute and flags.WHICH in ('build', 'test') and tested %}
        insert into {{ bookkeeping_schema() }}.test_result as known (
            test, description, model, column_name, severity, status, failing_rows, failures_relation, tested_at, failing_since, last_failed_at
        )
        select
            test, description, model, column_name, severity, status, failing_rows, failures_relation, now(),
            case when status <> 'pass' then now() end,
            case when status <> 'pass' then now() end
        from (values
            {% for result in tested %}
                {% set node = result.node %}
                {% set attached = graph.nodes.get(node.attached_node) if node.attached_node else none %}
                (
                    {{ string_or_null(node.name) }},
                    {{ string_or_null(node.description) }},
                    {{ string_or_null(attached.name if attached else node.refs | map(attribute='name') | unique | join(', ')) }},
                    {{ string_or_null(node.column_name) }},
                    {{ string_or_null(node.config.severity | lower) }},
                    {{ string_or_null(result.status) }},
                    {{ result.failures if result.failures is not none else 'null' }}::bigint,
                    {{ string_or_null(node.schema ~ '.' ~ node.alias if result.failures and node.config.store_failures else none) }}
                ){{ ',' if not loop.last }}
            {% endfor %}
        ) as result (test, description, model, column_name, severity, status, failing_rows, failures_relation)
        on conflict (test) do update set
            description = excluded.description,
            model = excluded.model,
            column_name = excluded.column_name,
            severity = excluded.severity,
            status = excluded.status,
            failing_rows = excluded.failing_rows,
            failures_relation = excluded.failures_relation,
            tested_at = excluded.tested_at,
            failing_since = case when excluded.status <> 'pass' then coalesce(known.failing_since, excluded.failing_since) end,
            last_failed_at = coalesce(excluded.last_failed_at, known.last_failed_at);

        delete from {{ bookkeeping_schema() }}.test_result
        where test not in (
            {% for node in graph.nodes.values() if node.resource_type == 'test' %}
                {{ string_or_null(node.name) }}{{ ',' if not loop.last }}
            {% endfor %}
        );
        {% do log_test_results(tested) %}
    {% endif %}
{% endmacro %}

{% macro log_test_results(tested) %}
    {% set failing = tested | rejectattr('status', 'equalto', 'pass') | list %}
    {% set since = {} %}
    {% if failing %}
        {% for row in run_query('select test, failing_since::date from ' ~ bookkeeping_schema() ~ '.test_result where failing_since is not null').rows %}
            {% do since.update({row[0]: row[1]}) %}
        {% endfor %}
    {% endif %}
    {% do log(
        'Data quality: ' ~ tested | length ~ ' tests, ' ~ (tested | length - failing | length) ~ ' passed, '
        ~ (failing | selectattr('status', 'equalto', 'warn') | list | length) ~ ' with warnings, '
        ~ (failing | rejectattr('status', 'equalto', 'warn') | list | length) ~ ' failed'
        ~ (' (select * from vw_data_quality where status <> \'pass\')' if failing else ''), info=True
    ) %}
    {% for result in failing %}
        {% do log(
            '  ' ~ result.status ~ '  ' ~ result.node.name ~ ': '
            ~ (result.failures ~ ' rows' if result.failures is not none else result.message)
            ~ (', since ' ~ since[result.node.name] if result.node.name in since else ', new'), info=True
        ) %}
    {% endfor %}
{% endmacro %}

{% macro string_or_null(value) -%}
    {{ "'" ~ (value | string | replace("'", "''")) ~ "'" if value else 'null' }}
{%- endmacro %}
