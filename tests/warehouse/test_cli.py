"""`python -m warehouse`: the embedded server, or exactly the one that PGHOST names."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

import psycopg
import pytest

import warehouse
from tests import programs
from warehouse import session
from warehouse.server import Server


class Command(Protocol):
    def __call__(self, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]: ...


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The folder of an embedded server for this file's tests."""
    path = tmp_path_factory.mktemp("cli") / "w"
    yield path
    Server(path).stop()


@pytest.fixture
def command(home: Path, project_root: Path) -> Command:
    """Runs `python -m warehouse ARGUMENTS` with the given variables and no other PG*."""

    def run(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        plain = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
        environment = {**plain, "WAREHOUSE_HOME": str(home), **variables}
        return programs.run("warehouse", arguments, cwd=project_root, env=environment)

    return run


def test_env_prints_what_a_shell_can_evaluate(command: Command, home: Path) -> None:
    printed = command("env", PGHOST="", PGHOSTADDR="192.0.2.1")
    assert printed.returncode == 0, printed.stderr
    shown = subprocess.run(
        [
            "sh",
            "-c",
            f'PGHOSTADDR=192.0.2.1; {printed.stdout}\necho "$PGHOST|$PGPORT|$PGDATABASE|$PGHOSTADDR"',
        ],
        capture_output=True,
        text=True,
        check=True,
    )
    assert shown.stdout == f"{home}/socket|5432|tmdb|\n"


def test_run_becomes_the_command_in_the_warehouse(command: Command, home: Path) -> None:
    shown = command(
        "run",
        "--",
        *("sh", "-c", 'echo "$PGHOST $PGDATABASE [$PGSERVICE]"; exit 7'),
        PGHOST="",
        PGSERVICE="other",
    )
    assert (shown.stdout, shown.returncode) == (f"{home}/socket tmdb []\n", 7)


def test_run_hands_the_options_after_the_command_on(command: Command) -> None:
    assert command("run", "echo", "--help", "-x").stdout == "--help -x\n"


@pytest.mark.parametrize("arguments", [["run"], ["run", "--", "no-such-command"], ["no-such-verb"]])
def test_wrong_use_is_exit_2(arguments: list[str], command: Command) -> None:
    failed = command(*arguments)
    assert failed.returncode == 2
    assert "Traceback" not in failed.stderr


def test_psql_passes_its_arguments_on(command: Command) -> None:
    shown = command("psql", "--", "-At", "-c", "select current_database(), 6 * 7", PGDATABASE="tmdb_demo")
    assert (shown.stdout, shown.returncode) == ("tmdb_demo|42\n", 0)
    assert command("psql", "--", "-c", "select 1 / 0").returncode == 1


def test_another_servers_variables_do_not_lead_away_from_the_embedded_one(command: Command) -> None:
    made = command(
        "reader",
        PGHOST="",
        PGSERVICE="other",
        PGHOSTADDR="192.0.2.1",
        PGSSLMODE="verify-full",
        PGUSER="other",
    )
    assert made.returncode == 0, made.stderr
    assert "metabase_reader can read" in made.stdout


def test_stop_says_what_it_did(command: Command) -> None:
    command("start")
    assert command("stop").stderr == "stopped\n"
    again = command("stop")
    assert (again.stderr, again.returncode) == ("not running\n", 0)


def test_pghost_is_used_as_it_is_and_nothing_is_started(
    database: dict[str, str], command: Command, tmp_path: Path
) -> None:
    unused = tmp_path / "unused"
    shown = command("run", "--", "env", **database, WAREHOUSE_HOME=str(unused), PGSSLMODE="prefer")
    assert shown.returncode == 0, shown.stderr
    variables = dict(line.split("=", 1) for line in shown.stdout.splitlines() if line.startswith("PG"))
    assert variables == {**database, **session.variables(), "PGSSLMODE": "prefer"}
    for verb in (["start"], ["env"], ["psql", "--", "-c", "select 1"], ["stop"]):
        done = command(*verb, **database, WAREHOUSE_HOME=str(unused))
        assert done.returncode == 0, done.stderr
    assert not unused.exists()


def test_a_missing_database_elsewhere_is_not_made(database: dict[str, str], command: Command) -> None:
    failed = command("run", "--", "true", **{**database, "PGDATABASE": "nowhere_to_be_found"})
    assert failed.returncode == 2
    assert 'database "nowhere_to_be_found" does not exist' in failed.stderr
    assert "Check PGUSER, PGPASSWORD, PGDATABASE" in failed.stderr


def test_an_unreachable_server(command: Command) -> None:
    failed = command("run", "--", "true", PGHOST="127.0.0.1", PGPORT="1", PGPASSWORD="hunter2")
    assert failed.returncode == 1
    assert "PGHOST=127.0.0.1, PGPORT=1" in failed.stderr
    assert "without PGHOST the embedded server is used" in failed.stderr
    assert "Traceback" not in failed.stderr
    assert "hunter2" not in failed.stderr


def test_a_wrong_password(command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("PG")]:
        monkeypatch.delenv(name)
    server = Server(tmp_path / "locked", durable=False)
    try:
        variables = warehouse.ensure(server.layout.home, durable=False)
        with psycopg.connect(host=variables["PGHOST"], user="postgres", autocommit=True) as connection:
            connection.execute("create role somebody login password 'right'")
            rules = server.layout.data / "pg_hba.conf"
            rules.write_text(f"local all somebody scram-sha-256\n{rules.read_text()}")
            connection.execute("select pg_reload_conf()")
        external = {**variables, "PGUSER": "somebody"}
        assert command("run", "--", "true", **external, PGPASSWORD="right").returncode == 0
        failed = command("run", "--", "true", **external, PGPASSWORD="hunter2")
        assert failed.returncode == 2
        assert "password authentication failed" in failed.stderr
        assert "PGPASSWORD" in failed.stderr
        assert "hunter2" not in failed.stderr
    finally:
        server.stop()


def test_the_file_of_variables(
    database: dict[str, str], command: Command, home: Path, tmp_path: Path
) -> None:
    file = tmp_path / "variables"
    lines = [f"{name}='{value}'" for name, value in database.items()]
    file.write_text("\n".join([*lines, "TMDB_PAGES=7", "TMDB_TRACK_DAYS=8"]))
    show = ("run", "--", "sh", "-c", 'echo "$PGHOST|$PGDATABASE|$TMDB_PAGES|$TMDB_TRACK_DAYS"')
    read = command(*show, TMDB_ENV_FILE=str(file), TMDB_PAGES="9")
    assert read.stdout == f"{database['PGHOST']}|{database['PGDATABASE']}|9|8\n", read.stderr
    # set and empty is set
    embedded = command(*show, TMDB_ENV_FILE=str(file), PGHOST="", PGDATABASE="tmdb")
    assert embedded.stdout == f"{home}/socket|tmdb|7|8\n", embedded.stderr
