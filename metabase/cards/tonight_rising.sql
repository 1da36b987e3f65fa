{{ include('tonight') }},

rising as (
    select candidate.*
    from candidate
    where candidate.popularity_change_7d > 0
    order by candidate.popularity_change_7d desc, candidate.movie_id asc
    limit 10
)

-- Metabase adds up bars of one name, and films share titles
select
    rising.title || case
        when count(*) over (partition by rising.title) > 1 then ' · ' || rising.movie_id else ''
    end as "Film",
    round(rising.popularity_change_7d, 1) as "Popularity gained",
    rising.movie_id as "TMDB id"
from rising
order by rising.popularity_change_7d desc, rising.movie_id asc
