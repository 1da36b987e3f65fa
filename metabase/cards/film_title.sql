{{ include('chosen_film') }}

-- in a sentence: what it is, how it stands
select
    movie.title
    || coalesce(' (' || extract(year from movie.release_date) || ')', '')
    || coalesce(', a film in ' || original.name, '')
    || coalesce(' of ' || nullif(movie.runtime, 0) || ' minutes', '')
    || ', is number ' || coalesce(top.rank::text, '–') || ' in popularity today'
    || case
        when trend.popularity_change_7d > 0 then ' and rising'
        when trend.popularity_change_7d < 0 then ' and falling'
        else ''
    end
    || coalesce('; ' || trim(to_char(nullif(movie.vote_count, 0), '999,999,999')) || ' people rated it '
        || round(movie.vote_average, 1) || ' of 10', '; nobody has rated it')
    || '.' as "The film"
from film
inner join {{ ref('vw_movie_latest') }} as movie on film.movie_id = movie.movie_id
left join {{ ref('dim_language') }} as original on movie.original_language = original.iso_639_1
left join {{ ref('vw_top_movies') }} as top on film.movie_id = top.movie_id
left join {{ ref('vw_movie_trend') }} as trend on film.movie_id = trend.movie_id
