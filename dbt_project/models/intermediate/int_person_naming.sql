with credit as (
    select
        movie_id,
        snapshot_date,
        load_id,
        person_id,
        name,
        original_name,
        gender,
        known_for_department,
        profile_path
    from {{ ref('stg_tmdb__movie_cast') }}

    union all

    select
        movie_id,
        snapshot_date,
        load_id,
        person_id,
        name,
        original_name,
        gender,
        known_for_department,
        profile_path
    from {{ ref('stg_tmdb__movie_crew') }}
)

-- a person with several credits in a film is named once
select
    person_id,
    max(name) as name,
    max(original_name) as original_name,
    max(gender) as gender,
    max(known_for_department) as known_for_department,
    max(profile_path) as profile_path,
    'film' as name_source,
    snapshot_date,
    movie_id as named_by,
    load_id
from credit
group by person_id, snapshot_date, movie_id, load_id
