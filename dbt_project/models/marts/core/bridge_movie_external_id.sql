{{ config(
    unique_key=['movie_id', 'source'],
    indexes=[{'columns': ['source', 'external_id']}],
    meta={'replaces': 'movie_id'}
) }}

with latest as {{ read_once() }} (
    select *
    from {{ ref('int_movie_latest') }}
    where {{ is_new() }}
),

sent as (
    select * from {{ ref('stg_tmdb__movie_external_id') }}
),

movie as (
    select * from {{ ref('dim_movie') }}
),

member as (
    select sent.*
    from latest
    inner join movie on latest.movie_id = movie.movie_id
    inner join sent
        on
            latest.movie_id = sent.movie_id
            and latest.external_ids_hash = sent.external_ids_hash
)

select
    latest.movie_id,
    member.source,
    member.external_id,
    latest.load_id
from latest
{{ 'left' if is_incremental() else 'inner' }} join member on latest.movie_id = member.movie_id
