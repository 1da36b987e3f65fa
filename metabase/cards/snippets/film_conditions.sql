    [[and exists (
        select 1
        from {{ ref('bridge_movie_genre') }} as movie_genre
        inner join {{ ref('dim_genre') }} as genre on movie_genre.genre_id = genre.genre_id
        where movie_genre.movie_id = movie.movie_id and genre.name = {{ genre }}
    )]]
    [[and movie.original_language in (
        select language.iso_639_1 from {{ ref('dim_language') }} as language where language.name = {{ language }}
    )]]
    [[and exists (
        select 1
        from {{ ref('bridge_movie_country') }} as movie_country
        inner join {{ ref('dim_country') }} as country on movie_country.iso_3166_1 = country.iso_3166_1
        where movie_country.movie_id = movie.movie_id and country.name = {{ country }}
    )]]
    [[and movie.release_date >= make_date({{ released_from }}::integer, 1, 1)]]
    [[and movie.release_date < make_date({{ released_to }}::integer + 1, 1, 1)]]
