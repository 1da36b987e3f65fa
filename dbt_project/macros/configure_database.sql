{#- Database settings that analysts rely on: days are UTC and marts are found by their bare names. -#}
{% macro configure_database() %}
    {% if execute and flags.WHICH in ('run', 'build', 'seed') %}
        {% set wanted = {'TimeZone': 'UTC', 'search_path': 'analytics, marts, public'} %}
        {% set current = run_query(
            "select s.setconfig, pg_has_role(d.datdba, 'usage') as is_owner"
            ~ " from pg_database as d"
            ~ " left join pg_db_role_setting as s on s.setdatabase = d.oid and s.setrole = 0"
            ~ " where d.datname = current_database()"
        ).rows[0] %}
        {% set settings = current[0] or [] %}
        {% for name, value in wanted.items() if (name ~ '=' ~ value) not in settings %}
            {% set statement = 'alter database ' ~ adapter.quote(target.database) ~ ' set ' ~ name ~ ' to ' ~ value %}
            {% if current[1] %}
                {{ statement }};
            {% else %}
                {% do exceptions.warn(
                    'The role ' ~ target.user ~ ' does not own the database, so this was left undone; its owner can run: ' ~ statement
                ) %}
            {% endif %}
        {% endfor %}
    {% endif %}
{% endmacro %}
