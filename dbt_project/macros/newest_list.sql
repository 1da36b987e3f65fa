{#- The keys in the newest of TMDB's lists that `list_model` holds. -#}
{% macro newest_list(list_model, key) -%}
    select distinct {{ key }}
    from {{ list_model }}
    where
        snapshot_date = (
            select max(snapshot_date)
            from {{ list_model }}
            where {{ within_load_horizon() }}
        )
        and {{ within_load_horizon() }}
{%- endmacro %}
