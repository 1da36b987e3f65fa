-- the most popular film of those chosen; one chosen by its id only where none is by its title
with film as (
    select movie.movie_id
    from {{ ref('vw_movie_latest') }} as movie
    where
        true
        [[and movie.movie_id in (
            select dim_movie.movie_id
            from {{ ref('dim_movie') }}
            where {{ film }}
        )]]
        and (
            true
            [[and movie.movie_id = {{ film_id }}]]
            [[or movie.movie_id in (
                select dim_movie.movie_id
                from {{ ref('dim_movie') }}
                where {{ film }}
            )]]
        )
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
    order by (movie.is_stale or movie.vanished_on is not null) asc, movie.popularity desc nulls last, movie.movie_id asc
    limit 1
)
