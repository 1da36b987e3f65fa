{{ config(
    unique_key=['movie_id', 'credit_id'],
    indexes=[{'columns': ['person_id', 'movie_id']}],
    meta={'replaces': 'movie_id'}
) }}

with member as (
    select movie_cast.*
    from {{ ref('stg_tmdb__movie_cast') }} as movie_cast
    inner join {{ ref('dim_person') }} as person on movie_cast.person_id = person.person_id
)

select
    latest.movie_id,
    member.credit_id,
    member.person_id,
    member.character_name,
    member.cast_order,
    latest.load_id
{{ from_latest('member', 'credits_hash', 'credits_load_id') }}
