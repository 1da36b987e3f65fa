{#-
    Database settings that analysts rely on: days are UTC and marts are found by their bare names. A setting of the role outweighs the
    database's, so each run of ours also sets its own session; that somebody's role says otherwise is told once, with the remedy.
-#}
{% macro configure_database() %}
    {% if execute and target.name == 'prod' and flags.WHICH in ('run', 'build', 'seed') %}
        {% set wanted = {'TimeZone': 'UTC', 'search_path': 'analytics, marts, public'} %}
        {% set current = run_query(
            'select s.setconfig, pg_has_role(d.datdba, \'usage\') as is_owner,'
            ~ ' (select setconfig from pg_db_role_setting where setdatabase = 0 and setrole = (select oid from pg_roles where rolname = current_user))'
            ~ ' from pg_database as d'
            ~ ' left join pg_db_role_setting as s on s.setdatabase = d.oid and s.setrole = 0'
            ~ ' where d.datname = current_database()'
        ).rows[0] %}
        {% for name, value in wanted.items() if (name ~ '=' ~ value) not in (current[0] or []) %}
            {% set statement = 'alter database ' ~ adapter.quote(target.database) ~ ' set ' ~ name ~ ' to ' ~ value %}
            {% if current[1] %}
                {{ statement }};
            {% else %}
                {% do exceptions.warn(
                    'The role ' ~ target.user ~ ' does not own the database, so this was left undone; its owner can run: ' ~ statement
                ) %}
            {% endif %}
        {% endfor %}
        {% for setting in current[2] or [] if setting.split('=')[0] | lower in ('timezone', 'search_path') %}
            {% do exceptions.warn(
                'The role ' ~ target.user ~ ' has a setting of its own that outweighs the database\'s: ' ~ setting
                ~ '. Days are UTC and bare names are found only without it: alter role ' ~ adapter.quote(target.user)
                ~ ' reset ' ~ setting.split('=')[0]
            ) %}
        {% endfor %}
    {% endif %}
{% endmacro %}
