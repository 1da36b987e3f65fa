{{ include('tonight') }},

best as (
    select candidate.*
    from candidate
    order by candidate.score desc nulls last, candidate.vote_count desc, candidate.movie_id asc
    limit 1
)

select
    coalesce(
        'Watch ' || best.title || coalesce(' (' || extract(year from best.release_date) || ')', '')
        || ': ' || round(best.weighted_rating, 1) || ' of 10 from '
        || trim(to_char(best.vote_count, '999,999,999')) || ' people'
        || case when best.popularity_change_7d > 0 then ', and more asked for than a week ago' else '' end
        || coalesce(', ' || nullif(best.runtime, 0) || ' minutes', '') || '. '
        || trim(to_char((select count(*) from candidate), '999,999,999')) || ' films answer the filters.',
        case
            when exists (select 1 from {{ ref('bridge_movie_provider') }})
                then 'No film answers these filters: ask for fewer votes, or for another genre, language or country.'
            else
                'No film answers these filters: ask for fewer votes, or for another genre, language or country.'
                || ' Where a film streams is not known yet: it lands with the block watch/providers (TMDB_BLOCKS).'
        end
    ) as "Tonight"
from (select 1) as always (one)
left join best on true
