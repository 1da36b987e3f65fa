with {{ latest_snapshots() }}

select
    genre.genre_id,
    genre.name as genre_name,
    avg(latest_snapshot.popularity)::numeric(14, 6) as avg_popularity,
    sum(latest_snapshot.vote_count)::bigint as total_votes,
    count(*)::bigint as movie_count
from latest_snapshot
inner join {{ ref('bridge_movie_genre') }} as movie_genre on latest_snapshot.movie_id = movie_genre.movie_id
inner join {{ ref('dim_genre') }} as genre on movie_genre.genre_id = genre.genre_id
where not latest_snapshot.is_stale
group by genre.genre_id, genre.name
