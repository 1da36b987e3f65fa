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

movie_crew as (
    select * from {{ ref('stg_tmdb__movie_crew') }}
),

movie as (
    select * from {{ ref('dim_movie') }}
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
from latest
inner join movie on latest.movie_id = movie.movie_id
{{ 'left' if is_incremental() else 'inner' }} join member
    on
        latest.movie_id = member.movie_id
        and latest.credits_hash = member.credits_hash
