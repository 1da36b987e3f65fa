{{ config(
    unique_key=['movie_id', 'source'],
    indexes=[{'columns': ['source', 'external_id']}],
    meta={'replaces': 'movie_id'}
) }}

with latest as (
    select *
    from {{ ref('int_movie_latest') }}
    where {{ is_new() }}
),

sent as (
    select * from {{ ref('stg_tmdb__movie_external_id') }}
),

movie as (
    select * from {{ ref('dim_movie') }}
)

select
    latest.movie_id,
    sent.source,
    sent.external_id,
    latest.load_id
from latest
inner join movie on latest.movie_id = movie.movie_id
{{ 'left' if is_incremental() else 'inner' }} join sent
    on
        latest.movie_id = sent.movie_id
        and latest.external_ids_hash = sent.external_ids_hash
