{{ config(
    unique_key=['movie_id', 'credit_id'],
    indexes=[{'columns': ['person_id', 'movie_id']}],
    meta={'replaces': 'movie_id'}
) }}

with movie_crew as (
    select * from {{ ref('stg_tmdb__movie_crew') }}
),

person as (
    select * from {{ ref('dim_person') }}
),

member as (
    select movie_crew.*
    from movie_crew
    inner join person on movie_crew.person_id = person.person_id
)

select
    latest.movie_id,
    member.credit_id,
    member.person_id,
    member.department,
    member.job,
    latest.load_id
{{ from_latest('credits_hash', 'credits_load_id') }}
