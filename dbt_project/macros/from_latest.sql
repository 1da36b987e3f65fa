{#-
    The end of a model with a row for each member of a list (companies, credits, …) that a film has today: of each film of which
    something changed (`latest`), the rows of the CTE `member` that its content of today holds. A film whose list is empty stands there
    once, its members NULL, so that those it had go. A film that dim_movie does not have is left out, and so is a member that `dimension`
    does not have, as the foreign keys want.

    `hash`: the column of `member` and of int_movie_latest that says to which content a member belongs. `load_id`: the column of
    int_movie_latest that says what changed. `dimension`, `key`: the table that `member` points at, if any, and by which column.
-#}
{% macro from_latest(hash, load_id='load_id', dimension=none, key=none) -%}
from (select * from {{ ref('int_movie_latest') }} where {{ is_new(load_id) }}) as latest
inner join (select movie_id from {{ ref('dim_movie') }}) as movie on latest.movie_id = movie.movie_id
{{ 'left' if is_incremental() else 'inner' }} join {{ '(' if dimension }}member
{{ 'inner join (select ' ~ key ~ ' from ' ~ dimension ~ ') as named on member.' ~ key ~ ' = named.' ~ key ~ ')' if dimension }}
    on
        latest.movie_id = member.movie_id
        and latest.{{ hash }} = member.{{ hash }}
{%- endmacro %}
