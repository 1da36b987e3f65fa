-- by original language, of which a film has one
select
    original.name as "Language",
    count(*) as "Films",
    round(avg(movie.popularity), 1) as "Mean popularity",
    round(avg(movie.vote_average), 2) as "Mean rating",
    sum(movie.vote_count) as "Votes"
from {{ ref('vw_movie_latest') }} as movie
inner join {{ ref('dim_language') }} as original on movie.original_language = original.iso_639_1
where
    not movie.is_stale
    and movie.vanished_on is null
{{ include('place_conditions') }}
    [[and movie.vote_count >= {{ min_votes }}]]
group by original.iso_639_1, original.name
order by count(*) desc, original.iso_639_1 asc
