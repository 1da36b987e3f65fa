with response as (
    select
        resource_id,
        snapshot_date,
        payload,
        load_id
    from {{ ref('base_tmdb__response') }}
    where resource = 'movie' and http_status = 200
),

-- one pass over the payload for all fields: each `payload -> 'field'` would decompress it anew
field as (
    select
        response.resource_id,
        response.snapshot_date,
        response.load_id,
        record.*
    from response
    cross join lateral jsonb_to_record(response.payload) as record (
        title text,
        original_title text,
        original_language text,
        overview text,
        tagline text,
        homepage text,
        imdb_id text,
        status text,
        release_date text,
        runtime text,
        budget text,
        revenue text,
        poster_path text,
        backdrop_path text,
        belongs_to_collection jsonb,
        adult text,
        video text,
        popularity text,
        vote_average text,
        vote_count text
    )
),

typed as (
    select
        resource_id as movie_id,
        snapshot_date,
        -- text
        {{ json_text('title') }} as title,
        {{ json_text('original_title') }} as original_title,
        {{ json_text('original_language') }} as original_language,
        {{ json_text('overview') }} as overview,
        {{ json_text('tagline') }} as tagline,
        {{ json_text('homepage') }} as homepage,
        {{ json_text('imdb_id') }} as imdb_id,
        {{ json_text('status') }} as status,
        {{ json_text('poster_path') }} as poster_path,
        {{ json_text('backdrop_path') }} as backdrop_path,
        {{ json_text("(belongs_to_collection ->> 'name')") }} as collection_name,
        -- numbers
        {{ json_integer("(belongs_to_collection ->> 'id')", 'bigint') }} as collection_id,
        nullif({{ json_integer('runtime') }}, 0) as runtime,
        nullif({{ json_integer('budget', 'bigint') }}, 0) as budget,
        nullif({{ json_integer('revenue', 'bigint') }}, 0) as revenue,
        {{ json_decimal('popularity', 'numeric(14, 6)') }} as popularity,
        {{ json_decimal('vote_average', 'numeric(5, 3)') }} as vote_average_as_sent,
        {{ json_integer('vote_count') }} as vote_count,
        -- booleans
        coalesce(adult = 'true', false) as is_adult,
        coalesce(video = 'true', false) as is_video,
        -- dates
        {{ json_date('release_date') }} as release_date,
        -- lineage
        load_id
    from field
)

select
    movie_id,
    snapshot_date,
    title,
    original_title,
    original_language,
    overview,
    tagline,
    homepage,
    imdb_id,
    status,
    poster_path,
    backdrop_path,
    collection_name,
    collection_id,
    runtime,
    budget,
    budget not between {{ var('least_plausible_money') }} and {{ var('highest_plausible_budget') }}
        as is_budget_suspect,
    revenue,
    revenue not between {{ var('least_plausible_money') }} and {{ var('highest_plausible_revenue') }}
        as is_revenue_suspect,
    popularity,
    case when vote_count > 0 then vote_average_as_sent end as vote_average,
    vote_count,
    is_adult,
    is_video,
    release_date,
    load_id
from typed
