{#-
    Gives the role metabase_reader what it lacks to read the marts, where that role exists and this one may.

    `python -m warehouse reader` makes the role and grants by default privileges, so a view that was made anew can be read at
    once. They go when a schema is dropped, and know nothing of a table that somebody else made: this hook heals both. It grants
    only what is missing, as each grant writes a row of the catalog anew and locks it.
-#}
{% macro grant_reader() %}
    {% if execute and target.name == 'prod' and flags.WHICH in ('run', 'build') %}
        {% set lacking %}
            with reader as (
                select oid, rolname from pg_roles where rolname = 'metabase_reader'
            ),

            readable as (
                select n.oid, n.nspname, n.nspowner
                from pg_namespace as n
                where n.nspname in ('marts', 'analytics') and pg_has_role(n.nspowner, 'usage')
            )

            select 1 as turn, format('grant usage on schema %I to %I', n.nspname, r.rolname) as statement
            from readable as n cross join reader as r
            where not has_schema_privilege(r.oid, n.oid, 'usage')
            union all
            select 2, format('grant select on %s to %I', c.oid::regclass, r.rolname)
            from readable as n
            inner join pg_class as c on c.relnamespace = n.oid and c.relkind in ('r', 'p', 'v', 'm', 'f')
            cross join reader as r
            where pg_has_role(c.relowner, 'usage') and not has_table_privilege(r.oid, c.oid, 'select')
            union all
            select 3, format('alter default privileges in schema %I grant select on tables to %I', n.nspname, r.rolname)
            from readable as n cross join reader as r
            where not exists (
                select
                from pg_default_acl as d
                cross join aclexplode(d.defaclacl) as a
                where d.defaclnamespace = n.oid and d.defaclobjtype = 'r' and a.grantee = r.oid
                    and d.defaclrole = (select u.oid from pg_roles as u where u.rolname = current_user)
            )
            order by 1
        {% endset %}
        {% for statement in run_query(lacking).columns['statement'].values() %}
            {{ one_by_one() }}
            {{ statement }};
        {% endfor %}
    {% endif %}
{% endmacro %}
