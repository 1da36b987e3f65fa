{{ config(
    unique_key=['movie_id', 'snapshot_date'],
    indexes=[{'columns': ['load_id']}],
    meta={'tracks_loads': true},
    post_hook='{{ analyze_loads() }}'
) }}

-- The one pass over what landed: a film's day in one narrow row. What describes a film, and each of the
-- blocks, is told apart by a hash, so that only what was never seen before is read again, by the models
-- of the blocks.
with landed as (
    select
        resource_id as movie_id,
        snapshot_date,
        http_status = 404 as is_gone,
        payload,
        coalesce(language, 'en-US') as language,
        load_id
    from {{ landed('movie') }}
    where http_status = 404 or (http_status = 200 and jsonb_typeof(payload) = 'object')
)

select
    landed.movie_id,
    landed.snapshot_date,
    landed.is_gone,
    landed.language,
    sent.popularity,
    -- nobody has rated what has no votes
    case when sent.vote_count > 0 then sent.vote_average end as vote_average,
    sent.vote_count,
    case when not landed.is_gone then {{ block_hash('movie', 'film.film') }} end as content_hash,
    {% for block in appended_blocks() %}
        {{ block_hash(block, 'film.film') }} as {{ block }}_hash,
    {% endfor %}
    {{ lost_fields('film.film', {
        'popularity': 'sent.popularity',
        'vote_average': 'sent.vote_average',
        'vote_count': 'sent.vote_count',
    }, lost_in_blocks('film.film')) }} as lost_fields,
    landed.load_id
from landed
-- unpacks the payload once
cross join lateral (
    select case when landed.is_gone then '{}' else whole.film end as film
    from jsonb_path_query(landed.payload, '$') as whole (film)
) as film
cross join lateral (
    select
        {{ json_decimal('film.film', 'popularity', 'numeric(14, 6)', 0, 99999999) }} as popularity,
        {{ json_decimal('film.film', 'vote_average', 'numeric(5, 3)', 0, 10) }} as vote_average,
        {{ json_integer('film.film', 'vote_count') }} as vote_count
) as sent
