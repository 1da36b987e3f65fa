select count(*) as "Films"
from {{ ref('vw_movie_latest') }} as movie
where not movie.is_stale and movie.vanished_on is null
