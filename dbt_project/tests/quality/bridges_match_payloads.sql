-- counted another way than staging does: by the payload's own distinct ids, of films that landed last
with changed_movie as (
    select distinct movie_id
    from {{ ref('stg_tmdb__movie_snapshot') }}
    where {{ new_loads() }}
),

film as (
    select
        changed_movie.movie_id,
        newest.payload
    from changed_movie
    cross join lateral (
        select response.payload
        from {{ ref('base_tmdb__response') }} as response
        where
            response.resource = 'movie'
            and response.resource_id = changed_movie.movie_id
            and response.http_status = 200
        order by response.snapshot_date desc
        limit 1
    ) as newest
),

counted as (
    {% for bridge, path in [
        ('bridge_movie_genre', '$.genres[*].id'),
        ('bridge_movie_company', '$.production_companies[*].id'),
        ('bridge_movie_country', '$.production_countries[*].iso_3166_1 ? (@ != "")'),
        ('bridge_movie_language', '$.spoken_languages[*].iso_639_1 ? (@ != "")'),
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
    {% endfor %}
)

select *
from counted
where in_payload <> in_bridge
