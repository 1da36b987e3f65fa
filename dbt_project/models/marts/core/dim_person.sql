{{ config(unique_key='person_id', meta={'delete_when': 'new_row.load_id is null'}) }}

with seen as not materialized (
    select * from {{ ref('stg_tmdb__block_version') }}
),

latest as not materialized (
    select * from {{ ref('int_movie_latest') }}
),

-- cast and crew have more columns than these, and not the same
credit as not materialized (
    {% for credits in [ref('stg_tmdb__movie_cast'), ref('stg_tmdb__movie_crew')] %}
        {{ 'union all' if not loop.first }}
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
    {% endfor %}
),

{{ members_to_name('credit', 'person_id', 'credits') }},

-- a person with several credits in a list is named once
named as (
    select
        movie_id,
        credits_hash,
        person_id,
        max(name) as name,
        max(original_name) as original_name,
        max(gender) as gender,
        max(known_for_department) as known_for_department,
        max(profile_path) as profile_path,
        max(load_id) as load_id
    from credit
    where person_id in (select changed.person_id from changed)
    group by movie_id, credits_hash, person_id
),

evidence as (
    select
        named.*,
        'film' as name_source,
        latest.movie_id is not null as is_current,
        seen.first_seen_on as named_on
    from named
    inner join seen
        on
            named.movie_id = seen.movie_id
            and named.credits_hash = seen.version_hash
    left join latest
        on
            named.movie_id = latest.movie_id
            and named.credits_hash = latest.credits_hash
)

(
    select distinct on (evidence.person_id)
        evidence.person_id,
        evidence.name,
        evidence.original_name,
        evidence.gender,
        evidence.known_for_department,
        evidence.profile_path,
        evidence.load_id
    from evidence
    order by
        evidence.person_id asc,
        {{ best_evidence('evidence') }}
)
{{ named_by_nothing('person_id', [
    'name', 'original_name', 'gender', 'known_for_department', 'profile_path',
]) }}
