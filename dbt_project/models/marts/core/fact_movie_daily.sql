{{ config(
    unique_key=['date_id', 'movie_id'],
    indexes=[{'columns': ['movie_id', 'date_id desc']}],
    meta={'delete_when': 'new_row.content_hash is null'}
) }}

with snapshot as (
    select *
    from {{ ref('stg_tmdb__movie_snapshot') }}
    where {{ is_new() }}
),

calendar as (
    select * from {{ ref('dim_date') }}
),

movie as (
    select * from {{ ref('dim_movie') }}
)

-- a day that was landed anew may find the film gone: it stands here without a content, and its measures go
select
    calendar.date_id,
    movie.movie_id,
    snapshot.popularity,
    snapshot.vote_average,
    snapshot.vote_count,
    snapshot.content_hash,
    snapshot.load_id
from snapshot
inner join calendar on snapshot.snapshot_date = calendar.date_id
inner join movie on snapshot.movie_id = movie.movie_id
{% if not is_incremental() %}
    where not snapshot.is_gone
{% endif %}
