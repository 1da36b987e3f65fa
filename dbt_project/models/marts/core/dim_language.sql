{{ config(unique_key='iso_639_1', meta={'replaces': 'all'}) }}

with list as not materialized (
    select * from {{ ref('stg_tmdb__language') }}
),

version as (
    select * from {{ ref('int_movie_version') }}
),

described as (
    select * from {{ ref('stg_tmdb__movie_version') }}
),

evidence as {{ read_once() }} (
    select
        iso_639_1,
        coalesce(english_name, native_name) as name,
        native_name,
        'list' as name_source,
        true as is_current,
        list_date as named_on,
        0::bigint as movie_id,
        load_id
    from list

    union all

    select
        language.iso_639_1,
        coalesce(language.english_name, language.native_name) as name,
        language.native_name,
        'film' as name_source,
        version.is_current,
        version.first_seen_on as named_on,
        version.movie_id,
        version.load_id
    from version
    cross join
        lateral unnest(
            version.language_codes, version.language_english_names, version.language_native_names
        ) as language (iso_639_1, english_name, native_name)

    union all

    -- a film's original language may be one that no film speaks and TMDB's list does not have
    select
        original_language as iso_639_1,
        null as name,
        null as native_name,
        'code' as name_source,
        false as is_current,
        null::date as named_on,
        0::bigint as movie_id,
        max(load_id) as load_id
    from described
    where original_language is not null
    group by original_language
)

select distinct on (evidence.iso_639_1)
    evidence.iso_639_1,
    coalesce(evidence.name, evidence.iso_639_1) as name,
    evidence.native_name,
    {{ is_listed('evidence', 'iso_639_1') }} as is_listed,
    evidence.name_source,
    evidence.load_id
from evidence
where {{ may_be_best('evidence', 'iso_639_1') }}
order by
    evidence.iso_639_1 asc,
    {{ best_evidence('evidence') }}
