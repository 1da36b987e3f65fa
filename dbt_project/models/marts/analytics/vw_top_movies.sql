with {{ latest_snapshots() }},

ranked as (
    select
        latest_snapshot.movie_id,
        movie.title,
        movie.release_date,
        latest_snapshot.date_id,
        latest_snapshot.popularity,
        latest_snapshot.vote_average,
        latest_snapshot.vote_count,
        row_number() over (
            order by
                latest_snapshot.popularity desc nulls last,
                latest_snapshot.vote_average desc nulls last,
                latest_snapshot.vote_count desc nulls last,
                -- films alike in all three: the older id first, so that the order never flickers
                latest_snapshot.movie_id asc
        ) as rank
    from latest_snapshot
    inner join {{ ref('dim_movie') }} as movie on latest_snapshot.movie_id = movie.movie_id
    where not latest_snapshot.is_stale
)

select
    rank,
    movie_id,
    title,
    release_date,
    date_id,
    popularity,
    vote_average,
    vote_count
from ranked
-- so that `select * from vw_top_movies limit 10` is the top ten
order by rank
