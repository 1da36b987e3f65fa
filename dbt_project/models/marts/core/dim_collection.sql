{{ config(unique_key='collection_id', meta={'replaces': 'all'}) }}

with evidence as (
    select
        collection_id,
        collection_name as name,
        collection_poster_path as poster_path,
        collection_backdrop_path as backdrop_path,
        'film' as name_source,
        is_current,
        first_seen_on as named_on,
        movie_id,
        load_id
    from {{ ref('int_movie_version') }}
    where collection_id is not null
)

select distinct on (evidence.collection_id)
    evidence.collection_id,
    evidence.name,
    evidence.poster_path,
    evidence.backdrop_path,
    evidence.load_id
from evidence
order by
    evidence.collection_id asc,
    {{ best_evidence('evidence') }}
