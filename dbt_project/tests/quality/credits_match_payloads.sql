-- of films whose full payload is new
with changed_movie as (
    select
        movie_id,
        credits_date,
        credits_date = keywords_date as has_keywords
    from {{ ref('int_movie_full_snapshot') }}
    where {{ new_loads() }}
),

film as (
    select
        changed_movie.movie_id,
        changed_movie.has_keywords,
        response.payload
    from changed_movie
    cross join lateral (
        select one_response.payload
        from {{ ref('base_tmdb__response') }} as one_response
        where
            one_response.resource = 'movie'
            and one_response.resource_id = changed_movie.movie_id
            and one_response.snapshot_date = changed_movie.credits_date
        -- `offset 0` keeps this a walk along the key, film by film
        offset 0 -- noqa: AM09
    ) as response
),

counted as (
    {% for bridge, path, condition in [
        ('bridge_movie_cast', '$.credits.cast[*].credit_id', 'true'),
        ('bridge_movie_crew', '$.credits.crew[*].credit_id', 'true'),
        ('bridge_movie_keyword', '$.keywords.keywords[*].id', 'film.has_keywords'),
    ] %}
        {% if not loop.first %}union all{% endif %}
        select
            film.movie_id,
            '{{ bridge }}' as bridge,
            (
                select count(distinct id.value)
                from jsonb_path_query(film.payload, '{{ path }}') as id (value)
            ) as in_payload,
            (
                select count(*)
                from {{ ref(bridge) }} as member
                where member.movie_id = film.movie_id
            ) as in_bridge
        from film
        where {{ condition }}
    {% endfor %}
)

select *
from counted
where in_payload <> in_bridge
