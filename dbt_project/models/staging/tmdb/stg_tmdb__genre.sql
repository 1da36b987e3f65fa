{{ config(unique_key=['genre_id', 'list_date'], meta={'replaces': 'list_date'}) }}

-- an id that a damaged list names twice counts once; a list that names nothing says nothing
select distinct on (landed.snapshot_date, genre.genre_id)
    genre.genre_id,
    landed.snapshot_date as list_date,
    genre.name,
    landed.load_id
from {{ landed('genre_list') }}
{{ 'left' if is_incremental() else 'inner' }} join lateral (
    select
        {{ json_id('element.sent') }} as genre_id,
        {{ json_text('element.sent', 'name') }} as name
    from {{ json_elements("landed.payload -> 'genres'") }} as element (sent)
) as genre on genre.genre_id is not null
order by landed.snapshot_date asc, genre.genre_id asc, genre.name desc nulls last
