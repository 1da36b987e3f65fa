{{ config(
    unique_key=['movie_id', 'credit_id'],
    indexes=[{'columns': ['person_id', 'movie_id']}],
    meta={'replaces': 'movie_id'}
) }}

with movie_cast as (
    select * from {{ ref('stg_tmdb__movie_cast') }}
),

person as (
    select * from {{ ref('dim_person') }}
),

member as (
    select movie_cast.*
    from movie_cast
    inner join person on movie_cast.person_id = person.person_id
)

select
    latest.movie_id,
    member.credit_id,
    member.person_id,
    member.character_name,
    member.cast_order,
    latest.load_id
{{ from_latest('credits_hash', 'credits_load_id') }}
