{#-
    Takes over, in place, a warehouse as version 0.2.0 left it: in the first build after the upgrade, before any model runs. To be dropped,
    with its line in dbt_project.yml, once nobody comes from 0.2.0 any more.

    0.2.0 had views where staging now has tables, and what was pruned from the landing zone lived on in the marts alone. Here these days
    become rows of staging: measures from the fact, descriptions from the history, lists and credits as the bridges last had them
    (0.2.0 did not keep which a film had on a day of the past). What the landing zone still has, the models then read from it.
-#}
{% macro take_over_0_2_0() %}
    {% if execute and target.name == 'prod' and flags.WHICH in ('run', 'build')
        and adapter.get_relation(target.database, 'marts', 'load_watermark') %}
        {% if on_citus() %}
            {% do exceptions.raise_compiler_error(
                'These tables are of version 0.2.0, and are taken over on plain PostgreSQL alone: run make dbt there, then move them into the'
                ~ ' cluster (docs/scaling.md). Nothing was changed'
            ) %}
        {% endif %}
        {% do log('Taking over the tables of version 0.2.0; its pruned days move to staging', info=True) %}
        {% set views = run_query(
            "select 'staging.' || viewname from pg_views where schemaname = 'staging' and viewname ~ '^(base|stg|int)_'"
        ).columns[0].values() %}
        {% for name in views %}
            {% set view = api.Relation.create(target.database, 'staging', name.split('.')[1], type='view') %}
            {% do refuse_to_drop_views_of_others(view, once_ours=views) %}
            {% do adapter.cache_dropped(view) %}
            drop view if exists {{ view }} cascade;
        {% endfor %}
        {% for name in ['stg_tmdb__movie_snapshot', 'stg_tmdb__block_version', 'stg_tmdb__movie_version', 'stg_tmdb__movie_cast',
            'stg_tmdb__movie_crew', 'stg_tmdb__movie_keyword', 'stg_tmdb__genre', 'stg_tmdb__country', 'stg_tmdb__language'] %}
            {{ create_empty_table(graph.nodes['model.tmdb.' ~ name]) }}
        {% endfor %}
        {{ move_pruned_days() }}
        {% for key in run_query(
            'select conrelid::regclass::text, conname from pg_constraint'
            ~ " where contype = 'f' and connamespace = 'marts'::regnamespace"
        ).rows %}
            alter table {{ key[0] }} drop constraint {{ adapter.quote(key[1]) }};
        {% endfor %}
        {% if adapter.get_relation(target.database, 'quality', 'test_result') %}
            insert into {{ bookkeeping_schema() }}.test_result
            select * from quality.test_result
            on conflict do nothing;
            drop table quality.test_result;
        {% endif %}
        drop table if exists staging.int_movie_full_snapshot, marts.load_watermark, marts.load_horizon;
    {% endif %}
{% endmacro %}

{#- A model's table as its contract describes it, without rows; dbt then takes it for one that an earlier run has made. -#}
{% macro create_empty_table(node) %}
    {% set relation = api.Relation.create(node.database, node.schema, node.alias, type='table') %}
    {% do adapter.cache_added(relation) %}
    create table {{ relation }} (
        {% for column in node.columns.values() %}
            {{ column.name }} {{ column.data_type }} {{ 'not null' if column.constraints }},
        {% endfor %}
        primary key ({{ node.constraints[0].columns | join(', ') }})
    );
{% endmacro %}

{% macro move_pruned_days() %}
    {%- set lists = {
        'genre': ('genre_id', {'genre_ids': 'genre_id', 'genre_names': 'name'}),
        'company': ('company_id', {
            'company_ids': 'company_id', 'company_names': 'name', 'company_logo_paths': 'logo_path',
            'company_origin_countries': 'origin_country',
        }),
        'country': ('iso_3166_1', {'country_codes': 'iso_3166_1', 'country_names': 'name'}),
        'language': ('iso_639_1', {
            'language_codes': 'iso_639_1', 'language_english_names': 'name', 'language_native_names': 'native_name',
        }),
    } -%}
    -- the days that the landing zone no longer has, and the description of each
    create temporary table pruned_day on commit drop as
    select
        fact.movie_id,
        fact.date_id,
        nullif(fact.popularity, 'NaN') as popularity,
        fact.vote_average,
        fact.vote_count,
        coalesce(history.valid_from, date '0001-01-01') as described_on
    from marts.fact_movie_daily as fact
    left join raw.tmdb_response as landed
        on landed.resource = 'movie' and landed.resource_id = fact.movie_id and landed.snapshot_date = fact.date_id
    left join marts.dim_movie_history as history
        on
            history.movie_id = fact.movie_id
            and fact.date_id >= history.valid_from
            and (fact.date_id < history.valid_to or history.valid_to is null)
    where landed.resource_id is null;

    insert into staging.stg_tmdb__movie_snapshot
        (movie_id, snapshot_date, is_gone, popularity, vote_average, vote_count, content_hash, lost_fields, load_id)
    select
        movie_id, date_id, false, popularity, vote_average, vote_count,
        {{ hash_of_0_2_0('movie', 'movie_id', 'described_on') }}, '{}', 0
    from pruned_day;

    -- a version that ended where none began, and a film that vanished: TMDB did not have it from that day on
    insert into staging.stg_tmdb__movie_snapshot (movie_id, snapshot_date, is_gone, lost_fields, load_id)
    select distinct gone.movie_id, gone.gone_on, true, '{}'::text[], 0
    from (
        select version.movie_id, version.valid_to as gone_on
        from marts.dim_movie_history as version
        where not exists (
            select 1 from marts.dim_movie_history as next_version
            where next_version.movie_id = version.movie_id and next_version.valid_from = version.valid_to
        )
        union all
        select movie_id, vanished_on from marts.dim_movie
    ) as gone
    left join raw.tmdb_response as landed
        on landed.resource = 'movie' and landed.resource_id = gone.movie_id and landed.snapshot_date = gone.gone_on
    where gone.gone_on is not null and landed.resource_id is null
    on conflict do nothing;

    insert into staging.stg_tmdb__movie_version (
        movie_id, content_hash, description_hash, {{ descriptive_columns() | join(', ') }},
        collection_poster_path, collection_backdrop_path,
        {% for list in lists.values() %}{{ list[1].keys() | join(', ') }}, {% endfor %}lost_fields, load_id
    )
    select
        described.movie_id,
        {{ hash_of_0_2_0('movie', 'described.movie_id', 'described.described_on') }},
        {{ description_hash('described') }},
        {% for column in descriptive_columns() %}described.{{ column }}, {% endfor %}
        collection.poster_path, collection.backdrop_path,
        {% for name, list in lists.items() %}{% for array in list[1] %}coalesce({{ name }}.{{ array }}, '{}'), {% endfor %}{% endfor %}
        '{}', 0
    from (
        select
            day.movie_id, day.described_on,
            coalesce(
                {{ decode_html() }}(history.title), {{ decode_html() }}(history.original_title),
                {{ decode_html() }}(movie.title), 'Untitled film ' || movie.movie_id
            ) as title,
            {#- 0.2.0 took what cannot be: an infinite date, a negative budget, a text of blanks -#}
            {% for column in descriptive_columns() if column != 'title' %}
                {% set said = 'case when history.movie_id is null then movie.' ~ column ~ ' else history.' ~ column ~ ' end' %}
                {% if column == 'release_date' %}
                    (select day.day from (select {{ said }} as day) as day where day.day between '1800-01-01' and '9999-12-31')
                {% elif column in ('budget', 'revenue') %}
                    (select money.money from (select {{ said }} as money) as money where money.money between 1 and 999999999999999999)
                {% else %}
                    {{ said if column in ('runtime', 'collection_id', 'is_adult', 'is_video') else decode_html() ~ '(' ~ said ~ ')' }}
                {% endif %}
                    as {{ column }}{{ ',' if not loop.last }}
            {% endfor %}
        from (select distinct movie_id, described_on from pruned_day) as day
        inner join marts.dim_movie as movie on movie.movie_id = day.movie_id
        left join marts.dim_movie_history as history
            on history.movie_id = day.movie_id and history.valid_from = day.described_on
    ) as described
    left join marts.dim_collection as collection on collection.collection_id = described.collection_id
    {% for name, (key, arrays) in lists.items() %}
        left join (
            select
                member.movie_id
                {% for array, column in arrays.items() %}, array_agg({{ name ~ '.' ~ column if column == key else decode_html() ~ '(' ~ name ~ '.' ~ column ~ ')' }} order by {{ name }}.{{ key }}) as {{ array }}{% endfor %}
            from marts.bridge_movie_{{ name }} as member
            inner join marts.dim_{{ name }} as {{ name }} on {{ name }}.{{ key }} = member.{{ key }}
            group by member.movie_id
        ) as {{ name }} on {{ name }}.movie_id = described.movie_id
    {% endfor %};

    -- credits and keywords, where the payload that had them was pruned
    create temporary table pruned_block on commit drop as
    select full_snapshot.movie_id, block.name as block, block.as_of
    from staging.int_movie_full_snapshot as full_snapshot
    cross join lateral (
        values ('credits', full_snapshot.credits_date), ('keywords', full_snapshot.keywords_date)
    ) as block (name, as_of)
    inner join pruned_day as day on day.movie_id = full_snapshot.movie_id and day.date_id = block.as_of;

    {% for block in ['credits', 'keywords'] %}
        update staging.stg_tmdb__movie_snapshot as snapshot
        set {{ block }}_hash = {{ hash_of_0_2_0(block, 'snapshot.movie_id', 'snapshot.snapshot_date') }}
        from pruned_block
        where
            pruned_block.block = '{{ block }}'
            and snapshot.movie_id = pruned_block.movie_id
            and snapshot.snapshot_date = pruned_block.as_of;
    {% endfor %}
    {% for credits, columns in [('cast', 'character_name, cast_order'), ('crew', 'department, job')] %}
        insert into staging.stg_tmdb__movie_{{ credits }} (
            movie_id, credits_hash, credit_id, person_id, {{ columns }},
            name, original_name, gender, known_for_department, profile_path, load_id
        )
        select
            credit.movie_id, {{ hash_of_0_2_0('credits', 'pruned_block.movie_id', 'pruned_block.as_of') }}, credit.credit_id,
            credit.person_id, {{ columns }},
            {{ decode_html() }}(person.name), {{ decode_html() }}(person.original_name), person.gender, person.known_for_department, person.profile_path, 0
        from pruned_block
        inner join marts.bridge_movie_{{ credits }} as credit on credit.movie_id = pruned_block.movie_id
        inner join marts.dim_person as person on person.person_id = credit.person_id
        where pruned_block.block = 'credits';
    {% endfor %}
    insert into staging.stg_tmdb__movie_keyword (movie_id, keywords_hash, keyword_id, name, load_id)
    select
        word.movie_id, {{ hash_of_0_2_0('keywords', 'pruned_block.movie_id', 'pruned_block.as_of') }}, word.keyword_id, keyword.name, 0
    from pruned_block
    inner join marts.bridge_movie_keyword as word on word.movie_id = pruned_block.movie_id
    inner join marts.dim_keyword as keyword on keyword.keyword_id = word.keyword_id
    where pruned_block.block = 'keywords';

    {% for block, hash in {'movie': 'content_hash', 'credits': 'credits_hash', 'keywords': 'keywords_hash'}.items() %}
        insert into staging.stg_tmdb__block_version (movie_id, version_hash, block, first_seen_on, load_id)
        select movie_id, {{ hash }}, '{{ block }}', min(snapshot_date), 0
        from staging.stg_tmdb__movie_snapshot
        where {{ hash }} is not null
        group by movie_id, {{ hash }};
    {% endfor %}

    -- TMDB's lists, as of the day before the landing zone begins: what they once named keeps their name
    {% for list, (key, columns, values) in {
        'genre': ('genre_id', 'name', 'name'),
        'country': ('iso_3166_1', 'english_name, native_name', 'name, native_name'),
        'language': ('iso_639_1', 'english_name, native_name', 'name, native_name'),
    }.items() %}
        insert into staging.stg_tmdb__{{ list }} ({{ key }}, list_date, {{ columns }}, load_id)
        select {{ key }}, (select coalesce(min(snapshot_date), current_date) - 1 from raw.tmdb_response), {{ values }}, 0
        from marts.dim_{{ list }}
        where name_source = 'list';
    {% endfor %}
{% endmacro %}

{#- What stands for a hash of an answer that is gone. -#}
{% macro hash_of_0_2_0(block, movie_id, day) -%}
    md5('0.2.0 {{ block }} ' || {{ movie_id }} || ' ' || {{ day }})::uuid
{%- endmacro %}
