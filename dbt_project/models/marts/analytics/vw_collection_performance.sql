with {{ current_movies() }}

select
    collection.collection_id,
    collection.name as collection_name,
    min(movie.release_date) as first_release_date,
    max(movie.release_date) as last_release_date,
    {{ group_measures('current_movie') }},
    {{ group_money('movie') }}
from current_movie
inner join {{ ref('dim_movie') }} as movie on current_movie.movie_id = movie.movie_id
inner join {{ ref('dim_collection') }} as collection on movie.collection_id = collection.collection_id
group by collection.collection_id, collection.name
