-- What this project asks of Citus, on plain PostgreSQL: its catalog and the functions that place tables. Their tables stay where
-- they are, so that the statements for Citus run and their rows can be compared; what Citus refuses, they refuse.
set allow_system_table_mods = on;
create table pg_catalog.pg_dist_partition (
    logicalrelid regclass primary key,
    partmethod "char" not null,
    -- the column by which the table is distributed; NULL: a reference table
    partkey text,
    -- for the tests: whether the table had rows, which then went through the coordinator
    was_empty boolean not null,
    repmodel "char" not null generated always as (case when partkey is null then 't' else 's' end) stored
);
reset allow_system_table_mods;

create function pg_catalog.stub_place(relation regclass, distribution_column text) returns void
language plpgsql as $$
declare
    is_empty boolean;
begin
    if exists (select from pg_dist_partition where logicalrelid = relation) then
        raise exception 'table "%" is already distributed', relation;
    end if;
    execute format('select not exists (select from %s)', relation) into is_empty;
    if not is_empty and current_setting('citus.multi_shard_modify_mode', true) is distinct from 'sequential' then
        raise exception 'there was a parallel operation on a distributed table in the transaction';
    end if;
    if distribution_column is not null and exists (
        select from pg_index
        where indrelid = relation and indisunique and not exists (
            select from pg_attribute
            where attrelid = relation and attname = distribution_column and attnum = any(indkey)
        )
    ) then
        raise exception 'cannot create constraint on "%": the distribution column is not part of it', relation;
    end if;
    if distribution_column is null
        and not exists (select from pg_dist_partition where repmodel = 't')
        and not exists (select from pg_locks where locktype = 'advisory' and pid = pg_backend_pid())
    then
        raise exception 'nothing keeps a table beside "%" from being the first at the same time, in a group of its own', relation;
    end if;
    insert into pg_dist_partition
    values (relation, case when distribution_column is null then 'n' else 'h' end, distribution_column, is_empty);
    perform stub_check_foreign_keys();
end
$$;

-- A foreign key joins placed tables: it points at a reference table, or within the rows of one node.
create function pg_catalog.stub_check_foreign_keys() returns void
language plpgsql as $$
declare
    refused record;
begin
    select c.conname, c.conrelid::regclass as child, c.confrelid::regclass as parent into refused
    from pg_constraint as c
    left join pg_dist_partition as child on child.logicalrelid = c.conrelid
    left join pg_dist_partition as parent on parent.logicalrelid = c.confrelid
    where
        c.contype = 'f'
        and coalesce(child.logicalrelid, parent.logicalrelid) is not null
        and (
            child.logicalrelid is null
            or parent.logicalrelid is null
            or (parent.partmethod = 'h' and (
                child.partmethod = 'n'
                or child.partkey not in (
                    select attname from pg_attribute where attrelid = c.conrelid and attnum = any(c.conkey)
                )
            ))
        )
    limit 1;
    if found then
        raise exception 'cannot create foreign key constraint % of % on %', refused.conname, refused.child, refused.parent;
    end if;
end
$$;

create function pg_catalog.stub_on_ddl() returns event_trigger
language plpgsql as $$ begin perform stub_check_foreign_keys(); end $$;
create event trigger stub_foreign_keys on ddl_command_end when tag in ('ALTER TABLE', 'CREATE TABLE')
execute function stub_on_ddl();

create function pg_catalog.create_distributed_table(relation regclass, distribution_column text, colocate_with text default 'default')
returns void
language sql as $$
    select stub_place(relation, distribution_column)
    where colocate_with = 'default' or colocate_with::regclass in (select logicalrelid from pg_dist_partition);
$$;

create function pg_catalog.create_reference_table(relation regclass) returns void
language sql as $$ select stub_place(relation, null) $$;

create function pg_catalog.column_to_column_name(relation regclass, partkey text) returns text
language sql as $$ select partkey $$;

create function pg_catalog.undistribute_table(relation regclass) returns void
language sql as $$ delete from pg_dist_partition where logicalrelid = relation $$;

create function pg_catalog.truncate_local_data_after_distributing_table(relation regclass) returns void
language sql as $$ $$;

create function pg_catalog.citus_total_relation_size(relation regclass) returns bigint
language sql as $$ select pg_total_relation_size(relation) + 1000000000 $$;

set allow_system_table_mods = on;
create table pg_catalog.pg_dist_node (
    nodeid integer primary key,
    groupid integer not null,
    nodename text not null,
    nodeport integer not null,
    -- for the tests: what the node says when it is asked, NULL: it is away
    says text
);
create table pg_catalog.pg_dist_object (classid oid not null, objid oid not null);
create table pg_catalog.pg_dist_local_group (groupid integer not null);
reset allow_system_table_mods;
insert into pg_catalog.pg_dist_node
values (1, 0, 'coordinator', 5432, '13.2-1'), (2, 1, 'worker-1', 5432, '13.2-1'), (3, 2, 'worker-2', 5432, '13.2-1');

-- 0: the coordinator
insert into pg_catalog.pg_dist_local_group values (0);

create function pg_catalog.run_command_on_all_nodes(command text) returns table (nodeid integer, success boolean, result text)
language sql as $$
    select nodeid, says is not null, coalesce(says, E'failed to connect to\n' || nodename) from pg_dist_node;
$$;
