with {{ current_movies() }},

language as (
    select * from {{ ref('dim_language') }}
)

select
    movie.original_language,
    coalesce(language.name, 'Unknown') as language_name,
    (count(*) / sum(count(*)) over ())::numeric(9, 6) as movie_share,
    (sum(current_movie.vote_count) / nullif(sum(sum(current_movie.vote_count)) over (), 0))::numeric(9, 6)
        as vote_share,
    {{ group_measures('current_movie') }}
from current_movie
inner join movie on current_movie.movie_id = movie.movie_id
left join language on movie.original_language = language.iso_639_1
cross join rating_prior
group by movie.original_language, language.name
