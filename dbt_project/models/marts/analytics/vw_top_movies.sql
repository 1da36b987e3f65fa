with {{ current_movies() }}

select
    row_number() over (
        order by
            current_movie.popularity desc nulls last,
            current_movie.vote_average desc nulls last,
            current_movie.vote_count desc nulls last,
            -- films alike in all three: the older id first, so that the order never flickers
            current_movie.movie_id asc
    ) as rank,
    current_movie.movie_id,
    movie.title,
    movie.release_date,
    current_movie.date_id,
    current_movie.popularity,
    current_movie.vote_average,
    current_movie.vote_count
from current_movie
inner join movie on current_movie.movie_id = movie.movie_id
-- so that `select * from vw_top_movies limit 10` is the top ten
order by rank
