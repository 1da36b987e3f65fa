"""A warehouse that is a Citus cluster: is every node fit for work, before a day is begun on it?

What a node lacks, PostgreSQL would say late, in the midst of a statement that nobody typed.
"""

from typing import TYPE_CHECKING, Final

from warehouse.errors import UsageError, WarehouseError

if TYPE_CHECKING:
    import psycopg

#: Of each node: its number (0: the coordinator), its address, the extension's version or why it can't say.
_NODES: Final = """
    select n.groupid, n.nodename || ':' || n.nodeport, r.success, r.result
    from run_command_on_all_nodes($$select extversion from pg_extension where extname = 'citus'$$) as r
    inner join pg_dist_node as n on n.nodeid = r.nodeid
    order by n.groupid
"""

#: Whether the role may make things in this database, but the nodes would not take them: Citus makes a thing
#: on a node under its owner, whom it must have made known there, which takes a superuser.
_IS_UNKNOWN: Final = """
    select has_database_privilege(current_database(), 'create') and not r.rolsuper and not exists (
        select from pg_dist_object as o where o.classid = 'pg_authid'::regclass and o.objid = r.oid
    )
    from pg_roles as r
    where r.rolname = current_user
"""


def is_there(connection: "psycopg.Connection") -> bool:
    """Whether the database has the extension."""
    return connection.execute("select to_regclass('pg_catalog.pg_dist_node')").fetchone() != (None,)


def is_worker(connection: "psycopg.Connection") -> bool:
    """Whether the database is that of a node which a coordinator has taken into its cluster."""
    return is_there(connection) and connection.execute(
        "select groupid from pg_dist_local_group"
    ).fetchone() != (0,)


def refuse_unfit(connection: "psycopg.Connection") -> None:
    """Raise `WarehouseError` for a node that does not answer, `UsageError` for a cluster that is not set up;
    on plain PostgreSQL nothing.
    """
    if not is_there(connection):
        return
    info = connection.info
    if is_worker(connection):
        raise UsageError(
            f"{info.host}:{info.port} is a worker of a Citus cluster, where no table can be made:"
            " let PGHOST and PGPORT name the coordinator. Nothing was written"
        )
    nodes = connection.execute(_NODES).fetchall()
    if not nodes or nodes[0][0] != 0:
        raise UsageError(
            "the coordinator is not among the nodes of its cluster, so that its tables can't be joined"
            f" with theirs: select citus_set_coordinator_host('{info.host}', {info.port}); in the"
            f" database {info.dbname}, by a name that the other nodes know, too. Nothing was written"
        )
    version = nodes[0][3]
    for _, node, answered, said in nodes:
        if not answered:
            raise WarehouseError(
                f"the Citus node {node} does not answer: {' '.join(said.split())}. Start it, or see that"
                f" {info.user} can log in there, into a database {info.dbname}; then try again"
            )
        if said != version:
            has = f"version {said} of the extension citus" if said else "no extension citus"
            raise UsageError(
                f"the Citus node {node} has {has} in the database {info.dbname}, and the coordinator has"
                f" {version}: create or update it there. Nothing was written"
            )
    if connection.execute(_IS_UNKNOWN).fetchone() == (True,):
        raise UsageError(
            f"the nodes of the Citus cluster don't know the role {info.user} as an owner. As a superuser, in"
            f" the database {info.dbname} of the coordinator: create function public.known() returns integer"
            f" language sql return 1; alter function public.known() owner to {info.user};"
            " drop function public.known(); Nothing was written"
        )
