"""`metabase_reader` reads every mart and view and can do nothing else, whatever dbt rebuilds."""

import os
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from tests import programs
from tests.dbt_project.runner import Dbt
from tests.roles.conftest import FILMS, PASSWORD, Connect
from warehouse import roles
from warehouse.errors import UsageError, WarehouseError

Reader = Callable[[], psycopg.Connection]
DENIED = psycopg.errors.InsufficientPrivilege


def relations(connection: psycopg.Connection, *schemas: str) -> list[str]:
    """Every table and view of the schemas, quoted."""
    return [
        row[0]
        for row in connection.execute(
            "select c.oid::regclass::text from pg_class as c"
            " inner join pg_namespace as n on n.oid = c.relnamespace"
            " where n.nspname = any(%s) and c.relkind in ('r', 'p', 'v', 'm') order by 1",
            [list(schemas)],
        )
    ]


def count(connection: psycopg.Connection, relation: str) -> int:
    row = connection.execute(f"select count(*) from {relation}".encode()).fetchone()
    assert row
    return int(row[0])


def test_it_reads_every_mart_and_view_and_nothing_else(reader: Reader, connect: Connect) -> None:
    owner = connect()
    reading = reader()
    readable = relations(owner, "marts", "analytics")
    assert {"marts.fact_movie_daily", "marts.bridge_movie_genre", "analytics.vw_top_movies"} <= {
        name if "." in name else f"{schema}.{name}"
        for schema in ("marts", "analytics")
        for name in relations(owner, schema)
    }
    assert len(readable) >= 13
    for relation in readable:
        assert count(reading, relation) == count(owner, relation)
    # bare names, as an analyst types them
    assert count(reading, "vw_movie_latest") == len(FILMS)
    hidden = relations(owner, "raw", "staging", "quality")
    assert len(hidden) >= 10
    for relation in hidden:
        with pytest.raises(DENIED):
            reading.execute(f"select * from {relation} limit 1".encode())


WRITES = (
    "insert into marts.dim_genre select * from marts.dim_genre",
    "update marts.dim_movie set title = 'x'",
    "delete from marts.fact_movie_daily",
    "truncate marts.fact_movie_daily",
    "select * from marts.dim_movie for update",
    "drop view analytics.vw_top_movies",
    "alter table marts.dim_movie add column mine int",
    "comment on table marts.dim_movie is 'mine'",
)
CREATES = (
    "create table marts.mine (id int)",
    "create view analytics.mine as select 1 as one",
    "create table public.mine (id int)",
    "create temporary table mine (id int)",
    "create schema mine",
    "create database mine",
    "create role mine",
    "create function public.mine() returns int language sql as 'select 1'",
    "create index on marts.dim_movie (title)",
    "create materialized view marts.mine as select 1 as one",
    "select lo_create(0)",
    "select lo_from_bytea(0, 'x')",
    "select nextval('raw.load_id_seq')",
    "copy marts.dim_movie to program 'cat'",
    "set role postgres",
)


def test_it_writes_and_creates_nothing(reader: Reader) -> None:
    reading = reader()
    done = []
    for statement in (*WRITES, *CREATES):
        # by default its transactions are read-only; a session may say otherwise, and is denied all the same
        for read_only, expected in (
            ("on", (psycopg.errors.ReadOnlySqlTransaction, DENIED)),
            ("off", (DENIED,)),
        ):
            reading.execute(f"set default_transaction_read_only to {read_only}".encode())
            try:
                reading.execute(statement.encode())
                done.append((read_only, statement))
            except expected:
                pass
    assert done == []
    reading.execute("reset default_transaction_read_only")
    with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
        reading.execute(WRITES[1])


def test_its_queries_end_after_the_timeout(connect: Connect) -> None:
    roles.make_reader(connect(), password=PASSWORD, statement_timeout="150ms")
    reading = connect(user=roles.READER, password=PASSWORD)
    with pytest.raises(psycopg.errors.QueryCanceled, match="statement timeout"):
        reading.execute("select pg_sleep(20)")
    roles.make_reader(connect(), password=PASSWORD)
    row = connect(user=roles.READER, password=PASSWORD).execute("show statement_timeout").fetchone()
    assert row == ("1min",)
    with pytest.raises(UsageError, match="'a while' is no time"):
        roles.make_reader(connect(), password=PASSWORD, statement_timeout="a while")


@pytest.mark.slow
def test_its_rights_outlive_every_rebuild(dbt: Dbt, reader: Reader, connect: Connect) -> None:
    reading, owner = reader(), connect()
    some = ["--select", "dim_movie", "fact_movie_daily", "bridge_movie_genre", "path:models/marts/analytics"]
    for command in (["run", *some], ["run", *some], ["run", "--full-refresh"]):
        dbt(*command)
        for relation in relations(owner, "marts", "analytics"):
            count(reading, relation)
    with pytest.raises(DENIED):
        reading.execute("select 1 from raw.tmdb_response")
    # a mart is readable the moment it is there, not only once dbt ends
    owner.execute("create table marts.fresh as select 1 as one")
    assert count(reading, "marts.fresh") == 1


@pytest.mark.slow
def test_dbt_heals_what_was_dropped_or_taken_away(dbt: Dbt, reader: Reader, connect: Connect) -> None:
    reading, owner = reader(), connect()
    owner.execute("drop schema analytics cascade")
    owner.execute("revoke all on all tables in schema marts from metabase_reader")
    with pytest.raises(DENIED):
        count(reading, "marts.dim_movie")
    # on somebody else's table, dbt's role may grant nothing: left alone
    owner.execute("create table marts.theirs (id int)")
    owner.execute("create role test_stranger")
    owner.execute("alter table marts.theirs owner to test_stranger")
    try:
        dbt("run", "--select", "path:models/marts/analytics")
    finally:
        owner.execute("drop table marts.theirs")
        owner.execute("drop role test_stranger")
    assert count(reading, "vw_top_movies") == len(FILMS)
    assert count(reading, "marts.dim_movie") == len(FILMS)
    # default privileges are back too, and a run that finds all in order grants nothing
    before = owner.execute("select oid, xmin::text from pg_class where relname = 'dim_movie'").fetchone()
    dbt("run", "--select", "dim_genre")
    assert (
        owner.execute("select oid, xmin::text from pg_class where relname = 'dim_movie'").fetchone() == before
    )
    owner.execute("create view analytics.fresh as select 1 as one")
    assert count(reading, "analytics.fresh") == 1


def test_making_it_again_takes_away_what_it_gained(connect: Connect) -> None:
    owner = connect()
    roles.make_reader(owner, password=PASSWORD)
    owner.execute("grant usage on schema raw to metabase_reader")
    owner.execute("grant select on all tables in schema raw to metabase_reader")
    owner.execute("create table marts.kept (id int)")
    owner.execute("grant insert on marts.kept to metabase_reader")
    database = sql.Identifier(owner.info.dbname)
    owner.execute(sql.SQL("grant create on database {} to metabase_reader").format(database))
    roles.make_reader(owner, password=PASSWORD)
    reading = connect(user=roles.READER, password=PASSWORD)
    for statement in (
        "select 1 from raw.extract_run",
        "begin read write; insert into marts.kept values (1)",
        "begin read write; create schema mine",
    ):
        with pytest.raises(DENIED):
            reading.execute(statement)
        reading.execute("rollback")
    assert count(reading, "marts.kept") == 0


def test_a_role_of_that_name_with_powers_is_refused(connect: Connect) -> None:
    owner = connect()
    roles.make_reader(owner, password=PASSWORD)
    owner.execute("grant pg_read_all_data to metabase_reader")
    try:
        with pytest.raises(WarehouseError, match="is a member of pg_read_all_data"):
            roles.make_reader(owner, password=PASSWORD)
    finally:
        owner.execute("revoke pg_read_all_data from metabase_reader")
    roles.make_reader(owner, password=PASSWORD)


def test_the_password_is_kept_as_a_scram_verifier_that_fits(connect: Connect) -> None:
    owner = connect()
    roles.make_reader(owner, password=PASSWORD)
    stored = "select rolpassword from pg_authid where rolname = 'metabase_reader'"
    row = owner.execute(stored).fetchone()
    assert row and row[0].startswith("SCRAM-SHA-256$") and PASSWORD not in row[0]
    # none given: left as it is
    roles.make_reader(owner, password=None)
    assert owner.execute(stored).fetchone() == row


def test_an_owner_without_superuser_rights_can_make_it(connect: Connect, database: dict[str, str]) -> None:
    """As on a hosted PostgreSQL: the owner of the database, who may create roles."""
    admin = connect()
    admin.execute("drop role if exists test_hosted")
    admin.execute("drop schema if exists raw, staging, quality, ops, marts, analytics cascade")
    admin.execute("create role test_hosted login createrole password 'x'")
    name = sql.Identifier(database["PGDATABASE"])
    present = admin.execute("select 1 from pg_roles where rolname = 'metabase_reader'").fetchone()
    if present:
        admin.execute("grant metabase_reader to test_hosted with admin option, inherit false, set false")
    admin.execute(sql.SQL("alter database {} owner to test_hosted").format(name))
    try:
        hosted = connect(user="test_hosted", password="x")
        roles.make_reader(hosted, password=PASSWORD)
        hosted.execute("create table marts.theirs as select 1 as one")
        assert count(connect(user=roles.READER, password=PASSWORD), "marts.theirs") == 1
        admin.execute("alter role test_hosted nocreaterole")
        with pytest.raises(WarehouseError, match="Run this as a superuser"):
            roles.make_reader(hosted, password="another")
    finally:
        admin.execute(sql.SQL("alter database {} owner to current_user").format(name))
        admin.execute("reassign owned by test_hosted to current_user")
        admin.execute("drop owned by test_hosted cascade")
        if present:
            admin.execute("revoke metabase_reader from test_hosted")
        admin.execute("drop role test_hosted")


def warehouse_command(pg: dict[str, str], root: Path, *arguments: str, **variables: str) -> tuple[int, str]:
    plain = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("PG", "METABASE", "WAREHOUSE_D"))
    }
    environment = {**plain, **pg, "TMDB_ENV_FILE": "", **variables}
    done = programs.run("warehouse", arguments, cwd=root, env=environment)
    return done.returncode, done.stdout + done.stderr


def test_the_command_says_what_it_did_and_what_it_lacks(
    database: dict[str, str], project_root: Path, connect: Connect
) -> None:
    # PGHOST is set, so this is as good as somebody else's server
    code, said = warehouse_command(database, project_root, "reader")
    assert (code, "METABASE_READER_PASSWORD is not set" in said) == (2, True)
    code, said = warehouse_command(
        database, project_root, "reader", METABASE_READER_PASSWORD=PASSWORD, METABASE_READER_TIMEOUT="7s"
    )
    assert (code, said) == (0, f"metabase_reader can read marts and analytics of {database['PGDATABASE']}\n")
    shown = connect(user=roles.READER, password=PASSWORD).execute("show statement_timeout").fetchone()
    assert shown == ("7s",)
    code, said = warehouse_command(
        {**database, "PGUSER": "metabase_reader", "PGPASSWORD": PASSWORD},
        project_root,
        "reader",
        METABASE_READER_PASSWORD=PASSWORD,
    )
    assert code == 2
    assert "cannot own the tables" in said
