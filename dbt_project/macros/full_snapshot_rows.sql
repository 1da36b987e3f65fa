{#-
    The whole of a bridge of credits or keywords: the rows of `list_model` in the newest payload that has them, for each film of
    which that payload is new or another one. A film whose newer payloads lack them keeps its rows. As in bridge_rows, a
    film with an empty list stands there with a NULL member.
-#}
{% macro full_snapshot_rows(list_model, date_column, columns) %}
with changed_movie as (
    select
        movie_id,
        {{ date_column }} as snapshot_date
    from {{ ref('int_movie_full_snapshot') }}
    where {{ load_window() }}
)

select
    changed_movie.movie_id,
    {% for column in columns %}member.{{ column }}, {% endfor %}member.load_id
from changed_movie
{{ 'left' if is_incremental() else 'inner' }} join lateral {{ rows_of_snapshot(list_model, 'changed_movie') }} as member
    on true
{% endmacro %}
