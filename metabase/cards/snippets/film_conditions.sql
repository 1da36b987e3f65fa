    [[and exists (
        select 1
        from {{ ref('bridge_movie_genre') }} as movie_genre
        inner join {{ ref('dim_genre') }} on movie_genre.genre_id = dim_genre.genre_id
        where movie_genre.movie_id = movie.movie_id and {{ genre }}
    )]]
    [[and exists (
        select 1
        from {{ ref('dim_language') }}
        where dim_language.iso_639_1 = movie.original_language and {{ language }}
    )]]
    [[and exists (
        select 1
        from {{ ref('bridge_movie_country') }} as movie_country
        inner join {{ ref('dim_country') }} on movie_country.iso_3166_1 = dim_country.iso_3166_1
        where movie_country.movie_id = movie.movie_id and {{ country }}
    )]]
    [[and movie.release_date >= make_date({{ released_from }}::integer, 1, 1)]]
    [[and movie.release_date < make_date({{ released_to }}::integer + 1, 1, 1)]]
