{{ config(
    unique_key=['movie_id', 'release_dates_hash', 'iso_3166_1', 'release_number'],
    post_hook="{{ drop_withdrawn_versions('release_dates_hash') }}"
) }}

-- A country may have several releases of one type and some without a type, so they are numbered in an order
-- of their own, whatever TMDB's; what is there twice, alike in all, counts once.
-- noqa: disable=RF03
with release as (
    select distinct
        version.movie_id,
        version.version_hash,
        version.load_id,
        country.iso_3166_1,
        sent.release_type_id,
        {{ valid_date('sent.release_day') }} as release_date,
        sent.certification,
        sent.note,
        sent.iso_639_1
    from {{ new_versions('release_dates') }} as version
    cross join lateral {{ json_elements("version.film #> '{release_dates,results}'") }} as element (country)
    cross join lateral (
        select {{ json_key('element.country', 'iso_3166_1') }} as iso_3166_1
    ) as country
    cross join lateral {{ json_elements("element.country -> 'release_dates'") }} as listed (release)
    cross join lateral (
        select
            {{ json_id('listed.release', 'type', 'integer', at_most=6) }} as release_type_id,
            -- TMDB writes a midnight behind the day
            split_part(listed.release ->> 'release_date', 'T', 1) as release_day,
            {{ json_key('listed.release', 'certification') }} as certification,
            {{ json_text('listed.release', 'note') }} as note,
            {{ json_text('listed.release', 'iso_639_1') }} as iso_639_1
    ) as sent
    where country.iso_3166_1 is not null and jsonb_typeof(listed.release) = 'object'
)

select
    release.movie_id,
    release.version_hash as release_dates_hash,
    release.iso_3166_1,
    row_number() over (
        partition by release.movie_id, release.version_hash, release.iso_3166_1
        order by
            release.release_date asc nulls last, release.release_type_id asc nulls last,
            release.certification collate "C" asc nulls last, release.note collate "C" asc nulls last,
            release.iso_639_1 collate "C" asc nulls last
    )::integer as release_number,
    release.release_type_id,
    (
        array['Premiere', 'Theatrical (limited)', 'Theatrical', 'Digital', 'Physical', 'TV']
    )[release.release_type_id]
        as release_type,
    release.release_date,
    release.certification,
    release.note,
    release.iso_639_1,
    release.load_id
from release
