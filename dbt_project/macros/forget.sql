{#-
    What was read of a wrong day, or of a film, goes for good: from the landing zone and from staging. A full refresh then makes the marts of
    what is left. `dbt run-operation forget --args '{film: 27205}'` only says what would go; `really: true` does it. Give one of:

    date: a snapshot date, with all its films and TMDB's lists. film: TMDB's id.

    `make forget` is this, the question whether to go on, and the full refresh.
-#}
{% macro forget(date=none, film=none, really=false) %}
    {% if (date is none) == (film is none) %}
        {% do exceptions.raise_compiler_error('forget: give a date or a film, and not both') %}
    {% endif %}
    {% set snapshot = ref('stg_tmdb__movie_snapshot') %}
    {% set version = ref('stg_tmdb__block_version') %}
    {% set of_film = 'movie_id = ' ~ (film | int) if film is not none %}
    {% set of_day = "'" ~ date ~ "'::date" if film is none %}
    {% set landed = "resource = 'movie' and resource_id = " ~ (film | int) if of_film else 'snapshot_date = ' ~ of_day %}
    {% set relations = {
        source('tmdb', 'tmdb_response'): landed,
        source('tmdb', 'extract_failure'): landed,
        snapshot: of_film or 'snapshot_date = ' ~ of_day,
    } %}
    {% if of_day %}
        {% for list in [ref('stg_tmdb__genre'), ref('stg_tmdb__country'), ref('stg_tmdb__language'),
            ref('stg_tmdb__certification'), ref('stg_tmdb__provider')] %}
            {% do relations.update({list: 'list_date = ' ~ of_day}) %}
        {% endfor %}
    {% endif %}
    {% set doomed = {} %}
    {% for relation, condition in relations.items() if load_relation(relation) %}
        {% do doomed.update({relation.render(): condition}) %}
        {% set rows = run_query('select count(*) from ' ~ relation ~ ' where ' ~ condition).rows[0][0] %}
        {% do print((rows | string).rjust(8) ~ ' rows of ' ~ relation | replace('"', '') ~ (' go' if really else ' would go')) %}
    {% endfor %}
    {% if really %}
        {% call statement('forget') %}
            {% for relation, condition in doomed.items() %}
                delete from {{ relation }} where {{ condition }};
            {% endfor %}
            -- of what the day was the first to show, another day is now the first, or none is
            update {{ version }} as version
            set first_seen_on = (
                select min(snapshot.snapshot_date)
                from {{ snapshot }} as snapshot
                where
                    snapshot.movie_id = version.movie_id
                    and version.version_hash in ({{ hashes_of_blocks('snapshot').values() | join(', ') }})
            )
            where {{ of_film or 'first_seen_on = ' ~ of_day }}
        {% endcall %}
        {% do adapter.commit() %}
    {% endif %}
{% endmacro %}
