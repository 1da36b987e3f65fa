    [[and exists (
        select 1
        from {{ ref('bridge_movie_genre') }} as movie_genre
        inner join {{ ref('dim_genre') }} as genre on movie_genre.genre_id = genre.genre_id
        where movie_genre.movie_id = movie.movie_id and genre.name = {{ genre }}
    )]]
    [[and movie.release_date >= make_date({{ released_from }}::integer, 1, 1)]]
    [[and movie.release_date < make_date({{ released_to }}::integer + 1, 1, 1)]]
    [[and movie.vote_count >= {{ min_votes }}]]
