{{ config(
    unique_key=['movie_id', 'content_hash'],
    indexes=[{'columns': ['load_id']}],
    post_hook="{{ drop_withdrawn_versions('content_hash') }}"
) }}

-- A film's lists stand in arrays that run beside each other: genre_names[1] is the name of genre_ids[1].
with version as (
    select
        new_version.*,
        new_version.film -> 'belongs_to_collection' as collection
    from {{ new_versions('movie') }} as new_version
),

sent as (
    select
        version.*,
        {{ json_text('film', 'title') }} as sent_title,
        {{ json_text('film', 'original_title') }} as original_title,
        {{ json_key('film', 'original_language') }} as original_language,
        {{ json_text('film', 'overview') }} as overview,
        {{ json_text('film', 'tagline') }} as tagline,
        {{ json_text('film', 'homepage') }} as homepage,
        {{ json_text('film', 'imdb_id') }} as imdb_id,
        {{ json_text('film', 'status') }} as status,
        {{ json_text('film', 'poster_path') }} as poster_path,
        {{ json_text('film', 'backdrop_path') }} as backdrop_path,
        {{ json_integer('film', 'runtime') }} as sent_runtime,
        {{ json_integer('film', 'budget', 'bigint', at_most=999999999999999999) }} as sent_budget,
        {{ json_integer('film', 'revenue', 'bigint', at_most=999999999999999999) }} as sent_revenue,
        {{ json_date('film', 'release_date') }} as release_date,
        -- JSON's own true: "true" is a text
        coalesce(version.film -> 'adult' = 'true', false) as is_adult,
        coalesce(version.film -> 'video' = 'true', false) as is_video,
        {{ json_id('collection') }} as collection_id,
        {{ json_text('collection', 'name') }} as sent_collection_name,
        {{ json_text('collection', 'poster_path') }} as collection_poster_path,
        {{ json_text('collection', 'backdrop_path') }} as collection_backdrop_path
    from version
    {{ compute_once() }}
),

described as (
    select
        sent.*,
        coalesce(sent.sent_title, sent.original_title, 'Untitled film ' || sent.movie_id) as title,
        -- 0 is TMDB's way to say that it does not know
        nullif(sent.sent_runtime, 0) as runtime,
        nullif(sent.sent_budget, 0) as budget,
        nullif(sent.sent_revenue, 0) as revenue,
        case when sent.collection_id is not null then sent.sent_collection_name end as collection_name
    from sent
)

select
    described.movie_id,
    described.version_hash as content_hash,
    {{ description_hash('described') }} as description_hash,
    {% for column in descriptive_columns() %}
        described.{{ column }},
    {% endfor %}
    described.collection_poster_path,
    described.collection_backdrop_path,
    genre.*,
    company.*,
    country.*,
    language.*,
    origin.*,
    {{ lost_fields(
        'described.film',
        {
            'title': 'described.sent_title',
            'original_title': 'described.original_title',
            'original_language': 'described.original_language',
            'overview': 'described.overview',
            'tagline': 'described.tagline',
            'homepage': 'described.homepage',
            'imdb_id': 'described.imdb_id',
            'status': 'described.status',
            'poster_path': 'described.poster_path',
            'backdrop_path': 'described.backdrop_path',
            'runtime': 'described.sent_runtime',
            'budget': 'described.sent_budget',
            'revenue': 'described.sent_revenue',
            'release_date': 'described.release_date',
            'belongs_to_collection': 'described.collection_id',
        },
        lost_in_description('described.film')
    ) }} as lost_fields,
    described.load_id
from described
cross join lateral {{ json_members('described.film', 'genres', {
    'genre_ids': json_id('member'),
    'genre_names': json_text('member', 'name'),
}) }} as genre
cross join lateral {{ json_members('described.film', 'production_companies', {
    'company_ids': json_id('member'),
    'company_names': json_text('member', 'name'),
    'company_logo_paths': json_text('member', 'logo_path'),
    'company_origin_countries': json_text('member', 'origin_country'),
}) }} as company
cross join lateral {{ json_members('described.film', 'production_countries', {
    'country_codes': json_key('member', 'iso_3166_1'),
    'country_names': json_text('member', 'name'),
}) }} as country
cross join lateral {{ json_members('described.film', 'spoken_languages', {
    'language_codes': json_key('member', 'iso_639_1'),
    'language_english_names': json_text('member', 'english_name'),
    'language_native_names': json_text('member', 'name'),
}) }} as language
cross join lateral (
    select
        coalesce(array_agg(distinct origin.code) filter (where origin.code is not null), '{}')
            as origin_country_codes
    from (
        select {{ json_key('element.value') }} as code
        from {{ json_elements("described.film -> 'origin_country'") }} as element (value)
    ) as origin
) as origin
