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
