-- what the filters leave, in a sentence
with shown as (
    select
        movie.movie_id,
        movie.original_language,
        movie.popularity
    from {{ ref('vw_movie_latest') }} as movie
    where
        not movie.is_stale
        and movie.vanished_on is null
{{ include('place_conditions') }}
    [[and movie.vote_count >= {{ min_votes }}]]
),

total as (
    select count(*) as films
    from shown
),

genre as (
    select
        genre.name,
        avg(shown.popularity) as popularity,
        count(*) as films
    from shown
    inner join {{ ref('bridge_movie_genre') }} as of_genre on shown.movie_id = of_genre.movie_id
    inner join {{ ref('dim_genre') }} as genre on of_genre.genre_id = genre.genre_id
    group by genre.genre_id, genre.name
),

country as (
    select
        country.name,
        count(*) as films
    from shown
    inner join {{ ref('bridge_movie_country') }} as of_country on shown.movie_id = of_country.movie_id
    inner join {{ ref('dim_country') }} as country on of_country.iso_3166_1 = country.iso_3166_1
    group by country.iso_3166_1, country.name
)

select
    'Of ' || trim(to_char(total.films, '999,999,999')) || ' films, '
    || coalesce((
        select genre.name || ' has the most (' || trim(to_char(genre.films, '999,999,999')) || ')'
        from genre
        order by genre.films desc, genre.name asc
        limit 1
    ), 'none has a genre')
    || coalesce(', ' || (
        select genre.name || ' is the most popular (' || round(genre.popularity, 1) || ' in the mean)'
        from genre
        order by genre.popularity desc nulls last, genre.name asc
        limit 1
    ), '')
    || coalesce(', and ' || (
        select country.name || ' made ' || round(100.0 * country.films / nullif(total.films, 0)) || ' % of them'
        from country
        order by country.films desc, country.name asc
        limit 1
    ), '')
    || '.' as "What people look at"
from total
