{#-
    The whole of a bridge: the members of `list_model` (movie_id, snapshot_date, member key) in each changed film's newest
    payload. On an increment a film whose list is empty stands there with a NULL member, which is how the strategy
    replace_per_movie learns that its rows must go.
-#}
{% macro bridge_rows(list_model, member_key) %}
with {{ newest_movie_snapshot() }}

select
    newest_snapshot.movie_id,
    member.{{ member_key }},
    member.load_id
from newest_snapshot
{{ 'left' if is_incremental() else 'inner' }} join lateral {{ rows_of_snapshot(list_model, 'newest_snapshot') }} as member
    on true
{% endmacro %}
