-- On Citus the landing zone is spread over the nodes by resource_id, in place, also when it has rows already: after a
-- restore, or when the extension came later. On plain PostgreSQL, and where it is placed, nothing happens.
do $$
begin
    if to_regclass('pg_dist_partition') is null then
        return;
    end if;
    if exists (
        select from pg_dist_partition where logicalrelid = 'raw.tmdb_response'::regclass
    ) then
        return;
    end if;
    set local citus.multi_shard_modify_mode to 'sequential';
    perform create_distributed_table('raw.tmdb_response', 'resource_id');
    -- the rows are on the nodes now; what is left of them here would only fill the disk
    perform truncate_local_data_after_distributing_table('raw.tmdb_response');
end
$$;
