with {{ current_movies() }},

collection as (
    select * from {{ ref('dim_collection') }}
)

select
    collection.collection_id,
    collection.name as collection_name,
    min(movie.release_date) as first_release_date,
    max(movie.release_date) as last_release_date,
    {{ group_measures('current_movie') }},
    {{ group_money('movie') }}
from current_movie
inner join movie on current_movie.movie_id = movie.movie_id
inner join collection on movie.collection_id = collection.collection_id
cross join rating_prior
group by collection.collection_id, collection.name
