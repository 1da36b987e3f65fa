{{ config(
    unique_key=['movie_id', 'credit_id'],
    indexes=[{'columns': ['person_id', 'movie_id']}],
    meta={'replaces': 'movie_id'}
) }}

with member as (
    select movie_crew.*
    from {{ ref('stg_tmdb__movie_crew') }} as movie_crew
    inner join {{ ref('dim_person') }} as person on movie_crew.person_id = person.person_id
)

select
    latest.movie_id,
    member.credit_id,
    member.person_id,
    member.department,
    member.job,
    latest.load_id
{{ from_latest('member', 'credits_hash', 'credits_load_id') }}
