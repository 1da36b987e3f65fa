-- by TMDB's id, since several companies share one name. Money only of films whose budget and revenue are both known and
-- plausible; a film of two companies counts in both, so companies don't add up
with rating_prior as (
    select avg(movie.vote_average) as mean_rating
    from {{ ref('vw_movie_latest') }} as movie
    where not movie.is_stale and movie.vanished_on is null
),

company_total as (
    select
        dim_company.company_id,
        dim_company.name,
        -- for charts: Metabase adds up bars of one name
        dim_company.name || case
            when count(*) over (partition by dim_company.name) > 1 then ' · ' || dim_company.company_id else ''
        end as label,
        dim_company.origin_country,
        count(*) as films,
        avg(movie.popularity) as popularity,
        avg(movie.vote_average) as rating,
        -- few votes say little: as if so many more people had voted the mean of all films
        (sum(movie.vote_average * movie.vote_count) + {{ var('rating_prior_votes') }} * rating_prior.mean_rating)
        / (sum(movie.vote_count) + {{ var('rating_prior_votes') }}) as weighted_rating,
        sum(movie.vote_count) as votes,
        count(*) filter (where money.is_known) as films_with_money,
        sum(movie.budget) filter (where money.is_known) as budget,
        sum(movie.revenue) filter (where money.is_known) as revenue
    from {{ ref('vw_movie_latest') }} as movie
    inner join {{ ref('bridge_movie_company') }} as of_company on movie.movie_id = of_company.movie_id
    inner join {{ ref('dim_company') }} on of_company.company_id = dim_company.company_id
    cross join rating_prior
    cross join lateral (
        select
            movie.budget > 0
            and movie.revenue > 0
            and not movie.is_budget_suspect
            and not movie.is_revenue_suspect as is_known
    ) as money
    where
        not movie.is_stale
        and movie.vanished_on is null
{{ include('company_conditions') }}
    -- the companies chosen, not those that made a film together with them
    [[and {{ company }}]]
    group by dim_company.company_id, dim_company.name, dim_company.origin_country, rating_prior.mean_rating
    -- who is asked for by name is shown with the fewest films
    having count(*) >= {{ min_films }} [[or bool_or({{ company }})]]
)
