"""`python -m warehouse roles`: all roles and databases of a server that is the project's alone."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from extractor.schema import MIGRATIONS
from tests import programs
from tests.roles.conftest import conninfo
from warehouse.configuration import PORT, SUPERUSER
from warehouse.server import Server

STUB = (Path(__file__).parents[1] / "citus_stub.sql").read_bytes()
#: What Citus says of a grant, which goes to all nodes, when one is away.
NODE_AWAY = b"""
    create function public.fail() returns event_trigger language plpgsql as $$ begin
        raise connection_failure using message = E'connection to worker-2 failed\\nIs it running?';
    end $$;
    create event trigger node_away on ddl_command_end when tag in ('GRANT') execute function public.fail()
"""

SECRETS = {
    "WAREHOUSE_PASSWORD": "owner's",
    "METABASE_DB_PASSWORD": "metabase's",
    "METABASE_READER_PASSWORD": "reader's",
}

PASSWORDS = {
    "tmdb": "WAREHOUSE_PASSWORD",
    "metabase": "METABASE_DB_PASSWORD",
    "metabase_reader": "METABASE_READER_PASSWORD",
}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """The PG* variables of a server of these tests' own: fresh, and it asks for passwords."""
    made = Server(tmp_path_factory.mktemp("roles") / "w", durable=False)
    made.start()
    (made.layout.data / "pg_hba.conf").write_text(
        f"local all {SUPERUSER} trust\nlocal all all scram-sha-256\n"
    )
    with psycopg.connect(host=str(made.layout.socket_directory), user=SUPERUSER, dbname="postgres") as admin:
        admin.execute("select pg_reload_conf()")
    yield {
        "PGHOST": str(made.layout.socket_directory),
        "PGPORT": PORT,
        "PGUSER": SUPERUSER,
        "PGDATABASE": "postgres",
    }
    made.stop()


def make_roles(server: dict[str, str], root: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    plain = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("PG", "METABASE_", "WAREHOUSE_"))
    }
    environment = {**plain, **server, "TMDB_ENV_FILE": "", **variables}
    return programs.run("warehouse", ["roles"], cwd=root, env=environment)


def connect(
    server: dict[str, str], user: str, dbname: str, password: str | None = None
) -> psycopg.Connection:
    """As the role with its password of `SECRETS`, unless another is given."""
    password = password or SECRETS.get(PASSWORDS.get(user, ""), "")
    return psycopg.connect(conninfo(server, user=user, dbname=dbname, password=password), autocommit=True)


def test_each_role_gets_its_database_and_no_other(server: dict[str, str], project_root: Path) -> None:
    for _ in range(2):  # idempotent
        done = make_roles(server, project_root, WAREHOUSE_DATABASE="films", **SECRETS)
        assert done.returncode == 0, done.stderr
        assert done.stdout == "roles tmdb, metabase, metabase_reader; databases films, metabase\n"
    may = {
        (role, name)
        for role in ("tmdb", "metabase", "metabase_reader")
        for name in ("films", "metabase", "postgres", "template1")
        if allowed(server, role, name)
    }
    # the demo looks in `postgres` for the databases there are
    assert may == {
        ("tmdb", "films"),
        ("tmdb", "postgres"),
        ("metabase", "metabase"),
        ("metabase_reader", "films"),
    }


def allowed(server: dict[str, str], role: str, name: str) -> bool:
    try:
        connect(server, role, name).close()
    except psycopg.OperationalError as error:
        assert "permission denied for database" in str(error)
        return False
    return True


def test_the_owner_can_load_and_build_and_the_reader_reads_it(
    server: dict[str, str], project_root: Path
) -> None:
    assert make_roles(server, project_root, WAREHOUSE_DATABASE="films", **SECRETS).returncode == 0
    with connect(server, "tmdb", "films") as owner:
        for migration in MIGRATIONS:
            owner.execute(migration.script)
        owner.execute("create temporary table batch (id int)")
        owner.execute("alter database films set timezone to 'UTC'")
        owner.execute("create table marts.fresh as select 42 as answer")
        rolsuper = owner.execute("select rolsuper from pg_roles where rolname = 'tmdb'").fetchone()
        assert rolsuper == (False,)
    with connect(server, "metabase_reader", "films") as reader:
        assert reader.execute("select answer from marts.fresh").fetchone() == (42,)
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            reader.execute("select * from raw.extract_run")
    with connect(server, "metabase", "metabase") as metabase:
        metabase.execute("create table report_card (id int)")


def test_a_changed_password_is_changed_on_the_server_and_shown_nowhere(
    server: dict[str, str], project_root: Path
) -> None:
    def verifiers() -> dict[str, str]:
        with connect(server, SUPERUSER, "postgres") as admin:
            rows = admin.execute(
                "select rolname, rolpassword from pg_authid where rolpassword is not null"
            ).fetchall()
        return dict(rows)

    assert make_roles(server, project_root, **SECRETS).returncode == 0
    before = verifiers()
    assert set(before) == {"tmdb", "metabase", "metabase_reader"}
    assert all(value.startswith("SCRAM-SHA-256$") for value in before.values())
    done = make_roles(server, project_root, **{**SECRETS, "WAREHOUSE_PASSWORD": "a new one"})
    assert done.returncode == 0
    assert verifiers()["tmdb"] != before["tmdb"]
    assert "a new one" not in done.stdout + done.stderr
    connect(server, "tmdb", "tmdb", password="a new one").close()
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        connect(server, "tmdb", "tmdb")


def test_on_a_cluster_the_coordinator_makes_the_reader_for_all_nodes(
    server: dict[str, str], project_root: Path
) -> None:
    variables = {"WAREHOUSE_DATABASE": "cluster", **SECRETS}
    assert make_roles(server, project_root, **variables).returncode == 0
    with connect(server, SUPERUSER, "cluster") as admin:
        admin.execute(STUB)
        assert make_roles(server, project_root, **variables).returncode == 0
        admin.execute(NODE_AWAY)
        away = make_roles(server, project_root, **variables)
        assert (away.returncode, away.stdout) == (1, "")
        assert away.stderr.startswith("warehouse: connection to worker-2 failed Is it running?")
        assert away.stderr.endswith("and all nodes if it is a cluster, then try again\n")
        assert len(away.stderr.splitlines()) == 1
        # a worker's own roles are made there, the reader is the coordinator's to make
        admin.execute("update pg_dist_local_group set groupid = 1")
        assert make_roles(server, project_root, **variables).returncode == 0


def test_it_names_the_variables_that_are_missing(server: dict[str, str], project_root: Path) -> None:
    done = make_roles(server, project_root, WAREHOUSE_PASSWORD="x")
    assert done.returncode == 2
    assert "METABASE_DB_PASSWORD, METABASE_READER_PASSWORD must be set: `make env`" in done.stderr
    done = make_roles({}, project_root, **SECRETS)
    assert done.returncode == 2
    assert "the embedded server needs no roles" in done.stderr
