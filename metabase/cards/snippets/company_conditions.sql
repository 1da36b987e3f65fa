    [[and exists (
        select 1
        from {{ ref('bridge_movie_genre') }} as movie_genre
        inner join {{ ref('dim_genre') }} on movie_genre.genre_id = dim_genre.genre_id
        where movie_genre.movie_id = movie.movie_id and {{ genre }}
    )]]
    [[and exists (
        select 1
        from {{ ref('bridge_movie_company') }} as movie_company
        inner join {{ ref('dim_company') }} on movie_company.company_id = dim_company.company_id
        where movie_company.movie_id = movie.movie_id and {{ company }}
    )]]
    [[and movie.release_date >= make_date({{ released_from }}::integer, 1, 1)]]
    [[and movie.release_date < make_date({{ released_to }}::integer + 1, 1, 1)]]
    [[and movie.vote_count >= {{ min_votes }}]]
