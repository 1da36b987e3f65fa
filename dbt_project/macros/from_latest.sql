{#-
    The end of a model with a row for each member of a list (companies, credits, …) that a film has today: of each film of which
    something changed (`latest`), the rows of `members` that its content of today holds (`member`). A film whose list is empty
    stands there once, its members NULL, so that those it had go.

    `members`: a relation or CTE with movie_id and the column `hash`. `load_id`: which column of int_movie_latest says what changed.
    Films that dim_movie does not have, as no answer with a title is left, are left out, as the foreign key wants.
-#}
{% macro from_latest(members, hash, load_id='load_id') -%}
from {{ ref('int_movie_latest') }} as latest
inner join {{ ref('dim_movie') }} as movie on latest.movie_id = movie.movie_id
{{ 'left' if is_incremental() else 'inner' }} join {{ members }} as member
    on
        latest.movie_id = member.movie_id
        and latest.{{ hash }} = member.{{ hash }}
where {{ is_new('latest.' ~ load_id) }}
{%- endmacro %}
