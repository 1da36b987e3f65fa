{{ include('film_conditions') }}
    [[and exists (
        select 1
        from {{ ref('bridge_movie_country') }} as movie_country
        inner join {{ ref('dim_country') }} on movie_country.iso_3166_1 = dim_country.iso_3166_1
        where movie_country.movie_id = movie.movie_id and {{ continent }}
    )]]
