-- the columns of 1, 7 and 30 days are written by a loop, whose indentation the linter cannot follow
-- noqa: disable=LT02,LT05

with {{ current_movies() }}

select
    trend.movie_id,
    movie.title,
    trend.date_id,
    trend.date_id < newest.date_id - {{ var('latest_within_days') }} as is_stale,
    movie.vanished_on,
    trend.popularity,
    trend.vote_average,
    trend.vote_count,
    {{ weighted_rating('trend.vote_average * trend.vote_count', 'trend.vote_count') }} as weighted_rating
    {%- for days in [1, 7, 30] %},
        trend.date_id_{{ days }}d as compared_with_{{ days }}d,
        (trend.popularity - trend.popularity_{{ days }}d)::numeric(14, 6) as popularity_change_{{ days }}d,
        {{ percent_change('trend.popularity', 'trend.popularity_' ~ days ~ 'd') }} as popularity_change_percent_{{ days }}d,
        trend.vote_count - trend.vote_count_{{ days }}d as vote_count_change_{{ days }}d,
        (trend.vote_average - trend.vote_average_{{ days }}d)::numeric(5, 3) as vote_average_change_{{ days }}d
    {%- endfor %}
from trend
inner join movie on trend.movie_id = movie.movie_id
cross join newest
cross join rating_prior
