{#-
    Two CTEs: `changed_movie`, the films with rows in the model's load window, and `newest_snapshot`, the date of each one's newest
    payload. The new rows say which films to look at again; what they are is read from the newest
    snapshot, so that a late, older one never overwrites newer values.
-#}
{% macro newest_movie_snapshot() %}
changed_movie as (
    select distinct movie_id
    from {{ ref('stg_tmdb__movie_snapshot') }}
    where {{ load_window() }}
),

newest_snapshot as (
    select
        changed_movie.movie_id,
        snapshot.snapshot_date
    from changed_movie
    cross join lateral (
        select movie_snapshot.snapshot_date
        from {{ ref('stg_tmdb__movie_snapshot') }} as movie_snapshot
        where
            movie_snapshot.movie_id = changed_movie.movie_id
            and not movie_snapshot.is_gone
            and {{ within_load_horizon('movie_snapshot.load_id') }}
        order by movie_snapshot.snapshot_date desc
        limit 1
    ) as snapshot
)
{%- endmacro %}

{#-
    The rows of a staging `model` of one film on one date, for `cross join lateral` and `left join lateral`; `snapshot`: what names the two.

    `offset 0` keeps it a walk along the landing zone's key. Joined plainly, PostgreSQL counts one visit to every month for each
    film (it leaves out the others only when it runs) and reads all payloads of all days instead.
-#}
{% macro rows_of_snapshot(model, snapshot, date_column='snapshot_date') -%}
    (
        select one_snapshot.*
        from {{ model }} as one_snapshot
        where
            one_snapshot.movie_id = {{ snapshot }}.movie_id
            and one_snapshot.snapshot_date = {{ snapshot }}.{{ date_column }}
        offset 0
    )
{%- endmacro %}
