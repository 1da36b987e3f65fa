with {{ current_movies() }},

measured as (
    select * from {{ ref('agg_person_popularity') }}
),

person as (
    select * from {{ ref('dim_person') }}
)

select
    measured.person_id,
    person.name,
    person.gender,
    person.known_for_department,
    measured.movie_count,
    measured.cast_movie_count,
    measured.directed_movie_count,
    measured.avg_popularity,
    measured.total_votes,
    measured.avg_rating,
    {{ weighted_rating('measured.rating_points', 'measured.total_votes') }} as weighted_rating
from measured
inner join person on measured.person_id = person.person_id
cross join rating_prior
