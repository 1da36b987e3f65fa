with fact as not materialized (
    select * from {{ ref('fact_movie_daily') }}
),

movie as not materialized (
    select * from {{ ref('dim_movie') }}
),

movie_genre as not materialized (
    select * from {{ ref('bridge_movie_genre') }}
),

movie_company as not materialized (
    select * from {{ ref('bridge_movie_company') }}
),

movie_country as not materialized (
    select * from {{ ref('bridge_movie_country') }}
),

trend as not materialized (
    select * from {{ ref('vw_genre_trend') }}
),

current_movie as (
    select movie_id
    from {{ ref('vw_movie_trend') }}
    where not is_stale and vanished_on is null
),

total as (
    select
        'vw_language_share' as relation,
        (select sum(movie_count) from {{ ref('vw_language_share') }}) as shown,
        (select count(*) from current_movie) as counted

    union all

    select
        'vw_collection_performance' as relation,
        (select sum(movie_count) from {{ ref('vw_collection_performance') }}) as shown,
        (
            select count(movie.collection_id)
            from current_movie
            inner join movie on current_movie.movie_id = movie.movie_id
        ) as counted

    union all

    select
        'vw_genre_popularity' as relation,
        (select sum(movie_count) from {{ ref('vw_genre_popularity') }}) as shown,
        (
            select count(*)
            from current_movie
            inner join movie_genre as b on current_movie.movie_id = b.movie_id
        ) as counted

    union all

    select
        'vw_company_performance' as relation,
        (select sum(movie_count) from {{ ref('vw_company_performance') }}) as shown,
        (
            select count(*)
            from current_movie
            inner join movie_company as b on current_movie.movie_id = b.movie_id
        ) as counted

    union all

    select
        'vw_country_popularity' as relation,
        (select sum(movie_count) from {{ ref('vw_country_popularity') }}) as shown,
        (
            select count(*)
            from current_movie
            inner join movie_country as b on current_movie.movie_id = b.movie_id
        ) as counted

    union all

    -- someone who plays two parts in a film, or directs it as well, has it once
    select
        'vw_person_popularity' as relation,
        (select sum(movie_count) from {{ ref('vw_person_popularity') }}) as shown,
        (
            select count(*)
            from current_movie
            inner join (
                select
                    person_id,
                    movie_id
                from {{ ref('bridge_movie_cast') }}
                where cast_order < {{ var('principal_cast') }}
                union distinct
                select
                    person_id,
                    movie_id
                from {{ ref('bridge_movie_crew') }}
                where job = 'Director'
            ) as person_movie on current_movie.movie_id = person_movie.movie_id
        ) as counted

    union all

    -- of the newest day: the genres of then are those of now
    select
        'vw_genre_trend' as relation,
        (
            select sum(trend.movie_count)
            from trend
            where trend.date_id = (select max(newest.date_id) from fact as newest)
        ) as shown,
        (
            select count(*)
            from fact
            inner join movie_genre as b on fact.movie_id = b.movie_id
            where fact.date_id = (select max(newest.date_id) from fact as newest)
        ) as counted
)

select *
from total
where coalesce(shown, 0) <> counted
