{{ config(
    unique_key='movie_id',
    indexes=[{'columns': ['collection_id']}, {'columns': ['original_language']}],
    meta={'delete_when': 'new_row.title is null'}
) }}

with latest as (
    select *
    from {{ ref('int_movie_latest') }}
    where {{ is_new() }}
),

version as (
    select * from {{ ref('stg_tmdb__movie_version') }}
),

-- the foreign keys' parents: read here, so that they are made first
language as (
    select * from {{ ref('dim_language') }}
),

collection as (
    select * from {{ ref('dim_collection') }}
)

-- a film of which no answer is left that had it stands here without a title, and goes
select
    latest.movie_id,
    version.title,
    version.original_title,
    language.iso_639_1 as original_language,
    version.release_date,
    version.status,
    version.runtime,
    version.budget,
    {{ is_implausible('version.budget', 'highest_plausible_budget') }} as is_budget_suspect,
    version.revenue,
    {{ is_implausible('version.revenue', 'highest_plausible_revenue') }} as is_revenue_suspect,
    version.imdb_id,
    collection.collection_id,
    version.collection_name,
    version.tagline,
    version.overview,
    version.homepage,
    version.poster_path,
    version.backdrop_path,
    version.is_adult,
    version.is_video,
    latest.vanished_on,
    latest.load_id
from latest
{{ 'left' if is_incremental() else 'inner' }} join version
    on
        latest.movie_id = version.movie_id
        and latest.content_hash = version.content_hash
left join language on version.original_language = language.iso_639_1
left join collection on version.collection_id = collection.collection_id
