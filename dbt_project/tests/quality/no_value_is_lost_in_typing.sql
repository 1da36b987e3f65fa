{{ config(severity='warn') }}

-- staging reads a value of an unexpected kind as unknown rather than to fail; here it is shown
with landed as (
    select
        resource_id as movie_id,
        snapshot_date,
        payload
    from {{ ref('base_tmdb__response') }}
    where resource = 'movie' and http_status = 200 and {{ new_loads() }}
),

sent as (
    select
        landed.movie_id,
        landed.snapshot_date,
        field.name as field,
        landed.payload ->> field.name as value,
        field.type
    from landed
    cross join (
        values
        ('popularity', 'numeric(14, 6)'),
        ('vote_average', 'numeric(5, 3)'),
        ('vote_count', 'integer'),
        ('budget', 'bigint'),
        ('revenue', 'bigint'),
        ('runtime', 'integer'),
        ('release_date', 'date')
    ) as field (name, type)
)

select
    movie_id,
    snapshot_date,
    field,
    value
from sent
where
    value <> ''
    -- TMDB writes a whole number as 7 or as 7.0
    and not pg_input_is_valid(
        case when type in ('integer', 'bigint') then split_part(value, '.', 1) else value end,
        type
    )
