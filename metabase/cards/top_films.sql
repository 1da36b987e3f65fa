with top as (
    select
        movie.movie_id,
        movie.title,
        movie.popularity,
        row_number() over (
            order by
                movie.popularity desc nulls last,
                movie.vote_average desc nulls last,
                movie.vote_count desc nulls last,
                movie.movie_id asc
        ) as place
    from {{ ref('vw_movie_latest') }} as movie
    where
        not movie.is_stale
        and movie.vanished_on is null
{{ include('film_conditions') }}
    [[and movie.vote_count >= {{ min_votes }}]]
    order by place
    limit 10
)

-- Metabase adds up bars of one name, and films share titles
select
    top.title || case
        when count(*) over (partition by top.title) > 1 then ' · ' || top.movie_id else ''
    end as "Film",
    round(top.popularity, 1) as "Popularity",
    top.movie_id as "TMDB id"
from top
order by top.place
