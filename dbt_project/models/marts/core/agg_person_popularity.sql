{{ config(
    unique_key='person_id',
    meta={'replaces': 'all', 'distribution': 'person_id'}
) }}

-- Every run computes all of it, for every film's popularity has moved. A table, because a view would go
-- through all credits for each question.
with {{ current_movies() }},

movie_cast as (
    select * from {{ ref('bridge_movie_cast') }}
),

movie_crew as (
    select * from {{ ref('bridge_movie_crew') }}
),

-- principal credits, and each film once a person: someone may play two parts, direct and write it
principal as (
    select
        person_id,
        movie_id,
        true as is_cast,
        false as is_director
    from movie_cast
    where cast_order < {{ var('principal_cast') }}

    union all

    select
        person_id,
        movie_id,
        false as is_cast,
        true as is_director
    from movie_crew
    where job = 'Director'
),

person_movie as (
    select
        person_id,
        movie_id,
        bool_or(is_cast) as is_cast,
        bool_or(is_director) as is_director
    from principal
    group by person_id, movie_id
)

select
    person_movie.person_id,
    count(*)::bigint as movie_count,
    count(*) filter (where person_movie.is_cast)::bigint as cast_movie_count,
    count(*) filter (where person_movie.is_director)::bigint as directed_movie_count,
    avg(current_movie.popularity)::numeric(14, 6) as avg_popularity,
    sum(current_movie.vote_count)::bigint as total_votes,
    avg(current_movie.vote_average)::numeric(5, 3) as avg_rating,
    sum(current_movie.vote_average * current_movie.vote_count)::numeric(20, 3) as rating_points,
    max(current_movie.load_id) as load_id
from person_movie
inner join current_movie on person_movie.movie_id = current_movie.movie_id
group by person_movie.person_id
