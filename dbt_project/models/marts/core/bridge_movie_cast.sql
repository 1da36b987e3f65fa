{{ config(
    unique_key=['movie_id', 'credit_id'],
    indexes=[{'columns': ['person_id', 'movie_id']}],
    meta={'replaces': 'movie_id'}
) }}

with latest as (
    select *
    from {{ ref('int_movie_latest') }}
    where {{ is_new('credits_load_id') }}
),

movie_cast as (
    select * from {{ ref('stg_tmdb__movie_cast') }}
),

movie as (
    select * from {{ ref('dim_movie') }}
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
from latest
inner join movie on latest.movie_id = movie.movie_id
{{ 'left' if is_incremental() else 'inner' }} join member
    on
        latest.movie_id = member.movie_id
        and latest.credits_hash = member.credits_hash
