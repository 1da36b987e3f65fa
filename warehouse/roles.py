"""Who may do what: `metabase_reader`, which can only read the marts, and the roles of a server of our own.

PostgreSQL gives everybody (`PUBLIC`) more than a reader needs: temporary tables in each database, large
objects, and, before PostgreSQL 15, tables in schema public. That is taken away here, as granting little is
not enough.

`default_transaction_read_only` and `statement_timeout` are defaults, which a session can change: they stop
accidents. What stops intent is that the role holds SELECT on two schemas and nothing else.
"""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Final

import psycopg
from psycopg import sql

from common.errors import one_line
from warehouse import citus
from warehouse.errors import UsageError, WarehouseError

Statement = sql.SQL | sql.Composed

READER: Final = "metabase_reader"
OWNER: Final = "tmdb"
METABASE: Final = "metabase"
"""Metabase's own role and database, where it keeps its users and cards."""

READABLE_SCHEMAS: Final = ("marts", "analytics")
OUR_SCHEMAS: Final = ("raw", "staging", "ops", "quality", *READABLE_SCHEMAS)
STATEMENT_TIMEOUT: Final = "60s"

_READER_SETTINGS: Final = {
    "default_transaction_read_only": "on",
    "idle_in_transaction_session_timeout": "5min",
    "lock_timeout": "10s",
    "TimeZone": "UTC",
}

#: Everybody may make large objects otherwise. Only a superuser can change that.
_LARGE_OBJECT_WRITERS: Final = (
    "lo_create(oid)",
    "lo_creat(integer)",
    "lo_from_bytea(oid, bytea)",
    "lo_open(oid, integer)",
    "lo_put(oid, bigint, bytea)",
    "lowrite(integer, bytea)",
    "lo_unlink(oid)",
)

_TRIES: Final = 8


@contextmanager
def _in_a_line() -> Iterator[None]:
    """A server that goes away meanwhile, or a node of its cluster, is told in a line: `WarehouseError`."""
    try:
        yield
    except psycopg.OperationalError as error:
        raise WarehouseError(
            f"{one_line(error)}. See that the server runs, and all nodes if it is a cluster, then try again"
        ) from error


@_in_a_line()
def make_reader(
    connection: psycopg.Connection,
    *,
    password: str | None,
    owner: str | None = None,
    statement_timeout: str = STATEMENT_TIMEOUT,
) -> None:
    """Create `metabase_reader`, or bring it up to date, and let it read the marts of this database.

    ``connection`` is in autocommit and a superuser's, or that of a role which may create roles and owns the
    database. ``password`` None leaves the role's password as it is. ``owner``, the role that runs dbt
    (default: the connection's), gets the schemas that are still missing, and what it makes there later is
    readable at once. Idempotent; safe when two run at once. Raises ``WarehouseError``.
    """
    owner = owner or _text(connection, "select current_user")
    if owner == READER:
        raise UsageError(f"{READER} cannot own the tables that it is to read: set PGUSER to their owner")
    _make_login(connection, READER, password)
    settings = {**_READER_SETTINGS, "statement_timeout": statement_timeout}
    try:
        for name, value in settings.items():
            _steadily(
                connection,
                sql.SQL("alter role {} set {} to {}").format(
                    sql.Identifier(READER), sql.Identifier(name), sql.Literal(value)
                ),
            )
        _refuse_powers(connection)
    except psycopg.errors.InvalidParameterValue as error:
        raise UsageError(f"{statement_timeout!r} is no time: write 60s, 5min or 500ms") from error
    _grant(connection, owner)


@_in_a_line()
def let_reader_read(connection: psycopg.Connection) -> None:
    """Give the reader, where there is one, its rights in this database again. Raises ``WarehouseError``."""
    if connection.execute("select from pg_roles where rolname = %s", [READER]).fetchone() is not None:
        _grant(connection, _text(connection, "select current_user"))


def _grant(connection: psycopg.Connection, owner: str) -> None:
    try:
        with connection.transaction():
            # two at once on one database would wait for, or trip over, each other's catalog rows
            connection.execute("select pg_advisory_xact_lock(hashtext('tmdb-elt roles'))")
            # on Citus so many tables fit into one transaction only so
            connection.execute("select set_config('citus.multi_shard_modify_mode', 'sequential', true)")
            for statement in _grants(connection, owner):
                connection.execute(statement)
    except psycopg.errors.InsufficientPrivilege as error:
        raise WarehouseError(
            f"cannot give {READER} its rights in {connection.info.dbname} as {connection.info.user}: "
            f"{error.diag.message_primary}. Run this as a superuser, or as the owner of the database"
        ) from error


@_in_a_line()
def make_server_roles(
    connect: Callable[[str], psycopg.Connection], database: str, passwords: Mapping[str, str]
) -> None:
    """Make all roles and databases on a server that is this project's alone (compose, Kubernetes).

    ``connect`` opens an autocommit superuser connection to a database; ``passwords`` holds those of `OWNER`,
    `READER` and `METABASE`. The owner gets ``database``, Metabase its own; neither may enter the other's, and
    the reader only the first. Idempotent; passwords follow ``passwords``. Raises ``WarehouseError``.
    """
    with connect("postgres") as connection:
        for role in (OWNER, METABASE):
            _make_login(connection, role, passwords[role])
        for name, role in ((database, OWNER), (METABASE, METABASE)):
            _make_database(connection, name, role)
        _steadily(
            connection, sql.SQL("grant connect on database postgres to {}").format(sql.Identifier(OWNER))
        )
        for name in ("postgres", "template1", database, METABASE):
            _steadily(
                connection,
                sql.SQL("revoke connect, temporary on database {} from public").format(sql.Identifier(name)),
            )
    with connect(database) as connection:
        # Citus takes the reader from the coordinator alone, which makes it on every node
        if not citus.is_worker(connection):
            make_reader(connection, password=passwords[READER], owner=OWNER)


def _make_login(connection: psycopg.Connection, role: str, password: str | None) -> None:
    """The role, without any power. Its password goes as a SCRAM verifier: no log of the server has it."""
    can: sql.Composable = sql.SQL(
        "login nosuperuser nocreatedb nocreaterole noreplication nobypassrls noinherit"
    )
    if not _text(connection, "select rolsuper from pg_roles where rolname = current_user"):
        # only who has a power may say that another has not; what is left is checked afterwards
        can = sql.SQL("login noinherit")
    clause: sql.Composable = sql.SQL("")
    if password is not None:
        encrypted = connection.pgconn.encrypt_password(password.encode(), role.encode(), b"scram-sha-256")
        clause = sql.SQL(" password {}").format(sql.Literal(encrypted.decode()))
    try:
        present = connection.execute("select from pg_roles where rolname = %s", [role]).fetchone()
        if present is None:
            # another command may be faster
            with suppress(psycopg.errors.DuplicateObject, psycopg.errors.UniqueViolation):
                connection.execute(sql.SQL("create role {} {}").format(sql.Identifier(role), can))
        _steadily(connection, sql.SQL("alter role {} {}{}").format(sql.Identifier(role), can, clause))
    except psycopg.errors.InsufficientPrivilege as error:
        raise WarehouseError(
            f"cannot create or change the role {role} as {connection.info.user}: "
            f"{error.diag.message_primary}. Run this as a superuser, or as a role that may create roles"
        ) from error


def _make_database(connection: psycopg.Connection, name: str, owner: str) -> None:
    found = connection.execute("select from pg_database where datname = %s", [name]).fetchone()
    if found is None:
        statement = sql.SQL("create database {} owner {}")
    else:
        statement = sql.SQL("alter database {} owner to {}")
    with suppress(psycopg.errors.DuplicateDatabase):  # another command may be faster
        _steadily(connection, statement.format(sql.Identifier(name), sql.Identifier(owner)))


def _refuse_powers(connection: psycopg.Connection) -> None:
    """A role of that name that was there before may hold what no revoke here would find."""
    powers = [
        row[0]
        for row in connection.execute(
            "select power from pg_roles, lateral (values"
            " (rolsuper, 'is a superuser'), (rolbypassrls, 'passes row security'),"
            " (rolcreatedb, 'may create databases'), (rolcreaterole, 'may create roles'),"
            " (rolreplication, 'may replicate')) as powers (held, power)"
            " where rolname = %(reader)s and held"
            " union all select 'is a member of ' || g.rolname from pg_auth_members as m"
            " inner join pg_roles as r on r.oid = m.member inner join pg_roles as g on g.oid = m.roleid"
            " where r.rolname = %(reader)s"
            " union all select 'owns ' || c.oid::regclass from pg_class as c"
            " inner join pg_roles as r on r.oid = c.relowner where r.rolname = %(reader)s",
            {"reader": READER},
        )
    ]
    if powers:
        raise WarehouseError(
            f"the role {READER} was there before and {', '.join(powers)}: a reader must not. "
            f"Take that away, or drop the role, then try again"
        )


def _grants(connection: psycopg.Connection, owner: str) -> Sequence[Statement]:
    """What lets the reader read, and nobody else in its place do more."""
    reader, owns = sql.Identifier(READER), sql.Identifier(owner)
    database = sql.Identifier(connection.info.dbname)
    statements: list[Statement] = [
        # the owner of the tables loads through temporary tables, and may not be the owner of the database
        sql.SQL("grant connect, temporary, create on database {} to {}").format(database, owns),
        sql.SQL("revoke temporary on database {} from public").format(database),
        sql.SQL("revoke create on schema public from public"),
        sql.SQL("revoke all on database {} from {}").format(database, reader),
        sql.SQL("grant connect on database {} to {}").format(database, reader),
    ]
    for other in _owners(connection) - {owner}:
        statements.append(
            sql.SQL("grant temporary on database {} to {}").format(database, sql.Identifier(other))
        )
    present = {row[0] for row in connection.execute("select nspname from pg_namespace")}
    for name in OUR_SCHEMAS:
        schema = sql.Identifier(name)
        if name in READABLE_SCHEMAS and name not in present:
            statements.append(sql.SQL("create schema {} authorization {}").format(schema, owns))
        elif name in present:
            statements.append(sql.SQL("revoke all on schema {} from {}").format(schema, reader))
            statements.append(sql.SQL("revoke all on all tables in schema {} from {}").format(schema, reader))
    for name in READABLE_SCHEMAS:
        schema = sql.Identifier(name)
        statements += [
            sql.SQL("grant usage on schema {} to {}").format(schema, reader),
            sql.SQL("grant select on all tables in schema {} to {}").format(schema, reader),
            # dbt makes every view anew at each run, and every table at a full refresh
            sql.SQL("alter default privileges for role {} in schema {} grant select on tables to {}").format(
                owns, schema, reader
            ),
        ]
    if _text(connection, "select rolsuper from pg_roles where rolname = current_user"):
        statements += [
            sql.SQL("revoke execute on function pg_catalog.{} from public").format(sql.SQL(function))
            for function in _LARGE_OBJECT_WRITERS
        ]
    return statements


def _owners(connection: psycopg.Connection) -> set[str]:
    """The roles that own a schema of ours: they load and build, whoever owns the database."""
    return {
        row[0]
        for row in connection.execute(
            "select pg_get_userbyid(nspowner) from pg_namespace where nspname = any(%s)", [list(OUR_SCHEMAS)]
        )
    }


def _steadily(connection: psycopg.Connection, statement: sql.Composed) -> None:
    """Run it again when another session changed the same role or database at that moment."""
    for left in reversed(range(_TRIES)):
        try:
            connection.execute(statement)
            return
        except psycopg.errors.InternalError_ as error:
            if "concurrently" not in str(error) or not left:
                raise
            time.sleep(0.05 * (_TRIES - left))


def _text(connection: psycopg.Connection, query: str) -> str:
    row = connection.execute(query.encode()).fetchone()
    return row[0] if row else ""
