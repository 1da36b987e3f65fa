with {{ current_movies() }}

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
from {{ ref('agg_person_popularity') }} as measured
inner join {{ ref('dim_person') }} as person on measured.person_id = person.person_id
