select language.name as "Language"
from {{ ref('dim_language') }} as language
where exists (
    select 1 from {{ ref('dim_movie') }} as movie
    where movie.original_language = language.iso_639_1
)
order by language.name
