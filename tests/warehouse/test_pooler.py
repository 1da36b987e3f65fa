"""A real PgBouncer before the server: sessions by the transaction are refused, whole ones serve."""

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from psycopg import sql

import warehouse
from tests.left_out import missing
from tests.warehouse.conftest import Command
from warehouse.account import account_for

Pool = Callable[..., dict[str, str]]


@pytest.fixture(scope="module")
def pgbouncer() -> str:
    """The program; where it is missing, CI fails and a person's tests are skipped."""
    found = shutil.which("pgbouncer", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    if found is None:
        missing("pgbouncer is missing: apt install pgbouncer")
    return found


@contextmanager
def running(
    pgbouncer: str, folder: Path, database: dict[str, str], settings: str
) -> Iterator[dict[str, str]]:
    """PgBouncer before the database's server; the variables that lead through it."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    names = {"PGHOST": "host", "PGPORT": "port", "PGUSER": "user", "PGPASSWORD": "password"}
    server = " ".join(f"{key}={database[name]}" for name, key in names.items() if database.get(name))
    file = folder / f"{port}.ini"
    file.write_text(
        f"[databases]\n* = {server}\n[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\n"
        f"unix_socket_dir =\nauth_type = any\n{settings}\n"
    )
    # it refuses to be root, and its folder and the server's socket are root's own
    account = account_for(folder, folder / "none")
    with (folder / f"{port}.log").open("w") as log:
        process = subprocess.Popen([*account.prefix, pgbouncer, str(file)], stderr=log)
    try:
        deadline = time.monotonic() + 30
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                break
            except OSError:
                assert process.poll() is None and time.monotonic() < deadline, (folder / log.name).read_text()
                time.sleep(0.05)
        yield {
            "PGHOST": "127.0.0.1",
            "PGPORT": str(port),
            "PGUSER": database["PGUSER"],
            "PGDATABASE": database["PGDATABASE"],
        }
    finally:
        process.kill()
        process.wait()


@pytest.fixture
def pool(pgbouncer: str, tmp_path: Path, database: dict[str, str]) -> Iterator[Pool]:
    """Starts PgBouncer with the given lines of its configuration before the test's database."""
    with ExitStack() as stack:

        def start(*lines: str, **changed: str) -> dict[str, str]:
            return stack.enter_context(
                running(pgbouncer, tmp_path, {**database, **changed}, "\n".join(lines))
            )

        yield start


@pytest.mark.parametrize(
    "lines",
    [
        ["pool_mode = transaction"],
        ["pool_mode = transaction", "default_pool_size = 1"],
        ["pool_mode = transaction", "default_pool_size = 2", "server_round_robin = 1"],
        ["pool_mode = transaction", "ignore_startup_parameters = options"],
        ["pool_mode = statement"],
    ],
)
def test_sessions_by_the_transaction_are_refused_before_anything_is_written(
    lines: list[str], pool: Pool, typed: Command, database: dict[str, str]
) -> None:
    refused = typed("extractor", "run", **pool(*lines), TMDB_TOKEN="t" * 40)
    assert refused.returncode == 2, refused.stderr
    assert "is a pooler that gives each transaction another session" in refused.stderr
    assert "PostgreSQL's own host and port, or a pool with pool_mode = session" in refused.stderr
    assert "Traceback" not in refused.stderr
    with warehouse.connect(database) as connection:
        assert connection.execute("select to_regnamespace('raw')").fetchone() == (None,)


@pytest.mark.parametrize("lines", [[], ["ignore_startup_parameters = options"]])
def test_whole_sessions_serve(lines: list[str], pool: Pool, typed: Command, database: dict[str, str]) -> None:
    variables = pool("pool_mode = session", *lines)
    done = typed("warehouse", "psql", "--", "-AtX", "-c", "select current_database()", **variables)
    assert (done.stdout, done.returncode) == (f"{database['PGDATABASE']}\n", 0), done.stderr
    shown = typed("extractor", "status", **variables)
    assert "Nothing was extracted yet" in shown.stdout, shown.stderr


@pytest.mark.parametrize("lines", [[], ["ignore_startup_parameters = options"]])
def test_a_setting_of_the_role_that_a_pooler_does_not_let_us_mend_is_refused(
    lines: list[str], pool: Pool, typed: Command, database: dict[str, str], role: str
) -> None:
    with warehouse.connect(database) as connection:
        connection.execute(sql.SQL("alter role {} set statement_timeout = '7s'").format(sql.Identifier(role)))
    variables = pool("pool_mode = session", *lines, PGUSER=role)
    refused = typed("warehouse", "run", "--", "echo", "began", **variables)
    assert (refused.returncode, refused.stdout) == (2, "")
    assert "has statement_timeout=7s (wanted: 0)" in refused.stderr
    assert "ALTER ROLE" in refused.stderr
