-- the fifteen languages with the most films
select
    original.name as "Language",
    count(*) as "Films"
from {{ ref('vw_movie_latest') }} as movie
inner join {{ ref('dim_language') }} as original on movie.original_language = original.iso_639_1
where
    not movie.is_stale
    and movie.vanished_on is null
{{ include('place_conditions') }}
    [[and movie.vote_count >= {{ min_votes }}]]
group by original.iso_639_1, original.name
order by count(*) desc, original.iso_639_1 asc
limit 15
