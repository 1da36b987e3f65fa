-- What the landing zone asks of Citus, on plain PostgreSQL: enough to drive the migration's branch for it.
create table pg_dist_partition (logicalrelid regclass primary key, partmethod "char" not null, partkey text not null);

-- Refuses what Citus refuses: a unique key without the column by which the rows are spread.
create function create_distributed_table(relation regclass, distribution_column text) returns void
language plpgsql as $$
begin
    if current_setting('citus.multi_shard_modify_mode', true) is distinct from 'sequential' then
        raise exception 'there was a parallel operation on a distributed table in the transaction';
    end if;
    if exists (
        select from pg_index
        where indrelid = relation and indisunique and not exists (
            select from pg_attribute
            where attrelid = relation and attname = distribution_column and attnum = any(indkey)
        )
    ) then
        raise exception 'cannot create constraint on "%": the distribution column is not part of it', relation;
    end if;
    insert into pg_dist_partition values (relation, 'h', distribution_column);
end
$$;

create function citus_total_relation_size(relation regclass) returns bigint
language sql as $$ select pg_total_relation_size(relation) + 1000000000 $$;
