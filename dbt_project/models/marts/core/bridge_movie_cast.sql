{{ config(
    unique_key=['movie_id', 'credit_id'],
    indexes=[{'columns': ['person_id', 'movie_id']}],
    meta={'replaces': 'movie_id'}
) }}

with member as (
    select * from {{ ref('stg_tmdb__movie_cast') }}
)

select
    latest.movie_id,
    member.credit_id,
    member.person_id,
    member.character_name,
    member.cast_order,
    latest.load_id
{{ from_latest('credits_hash', 'credits_load_id', dimension=ref('dim_person'), key='person_id') }}
