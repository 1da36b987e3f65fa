{#-
    CTEs that end in `naming`: for each key the attributes by which it was last named, of all that ever named it.

    `evidence`: a model with the key, the attributes, name_source, snapshot_date, named_by (movie_id, 0 for TMDB's list) and load_id, a
    row for each time something named the key. TMDB's list outranks a film, a film outranks a bare code; then the newest
    snapshot counts, then the highest named_by.

    An incremental run reads the evidence of its load window only. A new naming that disagrees with an equally
    ranked known one is not trusted by itself (it may be a late, old snapshot): for these few keys all evidence since
    its date decides. So increments arrive at what a full refresh computes, at the cost of the new rows.

    keep_known=true: `naming` holds the keys without new evidence too, as they are.
-#}
{% macro newest_naming(evidence, key, attributes, has_name_source=true, keep_known=false) %}
{%- set columns = [key] + attributes + ['name_source'] -%}
{%- set order = key ~ ', ' ~ name_rank('name_source') ~ ' desc, snapshot_date desc, named_by desc' -%}
new_naming as (
    select distinct on ({{ key }})
        {{ columns | join(', ') }}, snapshot_date, load_id
    from {{ evidence }}
    where {{ load_window() }}
    order by {{ order }}
),

{% if is_incremental() %}
known as (
    select
        {{ ([key] + attributes) | join(', ') }},
        {{ 'name_source' if has_name_source else "'film'" }} as name_source,
        load_id
    from {{ this }}
),

doubtful as (
    select
        new_naming.{{ key }},
        new_naming.name_source,
        new_naming.snapshot_date
    from new_naming
    inner join known on new_naming.{{ key }} = known.{{ key }} and new_naming.name_source = known.name_source
    where
        ({% for column in attributes %}new_naming.{{ column }}{{ ', ' if not loop.last }}{% endfor %})
        is distinct from ({% for column in attributes %}known.{{ column }}{{ ', ' if not loop.last }}{% endfor %})
),

settled as (
    select distinct on ({{ key }})
        {% for column in columns %}evidence.{{ column }}, {% endfor %}evidence.load_id
    from {{ evidence }} as evidence
    inner join doubtful
        on evidence.{{ key }} = doubtful.{{ key }}
        and evidence.name_source = doubtful.name_source
        and evidence.snapshot_date >= doubtful.snapshot_date
    where
        evidence.snapshot_date >= (select min(doubtful.snapshot_date) from doubtful)
        and {{ within_load_horizon('evidence.load_id') }}
    order by {{ key }}, evidence.snapshot_date desc, evidence.named_by desc
),

better as (
    select {% for column in columns %}new_naming.{{ column }}, {% endfor %}new_naming.load_id
    from new_naming
    left join known on new_naming.{{ key }} = known.{{ key }}
    where
        known.{{ key }} is null
        or {{ name_rank('new_naming.name_source') }} > {{ name_rank('known.name_source') }}
    union all
    select {{ columns | join(', ') }}, load_id
    from settled
),

naming as (
    select {{ columns | join(', ') }}, load_id
    from better
    {% if keep_known %}
        union all
        select {{ columns | join(', ') }}, load_id
        from known
        where not exists (select 1 from better where better.{{ key }} = known.{{ key }})
    {% endif %}
)
{% else %}
naming as (
    select {{ columns | join(', ') }}, load_id
    from new_naming
)
{% endif %}
{%- endmacro %}

{% macro name_rank(column) -%}
    array_position(array['code', 'film', 'list'], {{ column }})
{%- endmacro %}
