-- Rated well by enough people: as if so many more had voted the mean of all films. Rising: more popular than a
-- week ago. Each counts as its place among the films that the filters leave.
with offered as (
    select
        offer.movie_id,
        offer.provider_id,
        offer.iso_3166_1
    from {{ ref('bridge_movie_provider') }} as offer
    inner join {{ ref('dim_provider') }} on offer.provider_id = dim_provider.provider_id
    inner join {{ ref('dim_country') }} on offer.iso_3166_1 = dim_country.iso_3166_1
    where
        offer.offer_type in ('flatrate', 'free', 'ads')
        [[and {{ provider }}]]
        [[and {{ watched_in }}]]
),

candidate as (
    select
        movie.movie_id,
        movie.title,
        movie.release_date,
        movie.runtime,
        movie.original_language,
        movie.vote_count,
        trend.weighted_rating,
        trend.popularity_change_7d,
        percent_rank() over (order by trend.weighted_rating)
        + percent_rank() over (order by coalesce(trend.popularity_change_7d, 0)) / 2 as score
    from {{ ref('vw_movie_latest') }} as movie
    inner join {{ ref('vw_movie_trend') }} as trend on movie.movie_id = trend.movie_id
    where
        not movie.is_stale
        and movie.vanished_on is null
        and movie.release_date <= current_date
        and movie.vote_count >= {{ min_votes }}
{{ include('film_conditions') }}
        [[and movie.runtime between 1 and {{ max_minutes }}]]
        -- one offer answers both of these filters
        [[and exists (
            select 1
            from offered
            inner join {{ ref('dim_provider') }} on offered.provider_id = dim_provider.provider_id
            where offered.movie_id = movie.movie_id and {{ provider }}
        )]]
        [[and exists (
            select 1
            from offered
            inner join {{ ref('dim_country') }} on offered.iso_3166_1 = dim_country.iso_3166_1
            where offered.movie_id = movie.movie_id and {{ watched_in }}
        )]]
)
