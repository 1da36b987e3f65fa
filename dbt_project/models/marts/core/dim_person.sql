{{ config(unique_key='person_id', meta={'delete_when': 'new_row.load_id is null'}) }}

with seen as not materialized (
    select * from {{ ref('stg_tmdb__block_version') }}
),

latest as not materialized (
    select * from {{ ref('int_movie_latest') }}
),

-- cast and crew have more columns than these, and not the same
{% set lists = {'cast_credit': ref('stg_tmdb__movie_cast'), 'crew_credit': ref('stg_tmdb__movie_crew')} %}
{% for list, credits in lists.items() %}
    {{ list }} as not materialized (
        select
            movie_id,
            credits_hash,
            person_id,
            name,
            original_name,
            gender,
            known_for_department,
            profile_path,
            load_id
        from {{ credits }}
    ),
{% endfor %}

credit as not materialized (
    select * from cast_credit
    union all
    select * from crew_credit
),

{{ members_to_name('credit', 'person_id', 'credits') }},

evidence as (
    {% for list in joined_apart('credit', lists) %}
        {{ 'union all' if not loop.first }}
        select
            credit.person_id,
            credit.name,
            'film' as name_source,
            latest.movie_id is not null as is_current,
            seen.first_seen_on as named_on,
            credit.movie_id,
            credit.credits_hash
        from {{ list }} as credit
        inner join seen
            on
                credit.movie_id = seen.movie_id
                and credit.credits_hash = seen.version_hash
        left join latest
            on
                credit.movie_id = latest.movie_id
                and credit.credits_hash = latest.credits_hash
        where {{ is_to_name('credit', 'person_id') }}
    {% endfor %}
),

best as (
    select distinct on (evidence.person_id)
        evidence.person_id,
        evidence.movie_id,
        evidence.credits_hash
    from evidence
    order by
        evidence.person_id asc,
        {{ best_evidence('evidence') }}
)

-- someone with several credits in that list is named once
(
    select
        credit.person_id,
        max(credit.name) as name,
        max(credit.original_name) as original_name,
        max(credit.gender) as gender,
        max(credit.known_for_department) as known_for_department,
        max(credit.profile_path) as profile_path,
        max(credit.load_id) as load_id
    from (
        {% for list in joined_apart('credit', lists) %}
            {{ 'union all' if not loop.first }}
            select credit.*
            from best
            inner join {{ list }} as credit
                on
                    best.person_id = credit.person_id
                    and best.movie_id = credit.movie_id
                    and best.credits_hash = credit.credits_hash
        {% endfor %}
    ) as credit
    group by credit.person_id
)
{{ named_by_nothing('person_id', [
    'name', 'original_name', 'gender', 'known_for_department', 'profile_path',
]) }}
