"""A server that is too old is refused before anything is written: a real PostgreSQL 15."""

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from tests.left_out import missing
from tests.warehouse.conftest import Command
from warehouse.account import account_for

#: Where Debian 12 has it, whose own version it is.
PROGRAMS = Path("/usr/lib/postgresql/15/bin")


@pytest.fixture
def old(tmp_path: Path) -> Iterator[dict[str, str]]:
    """The variables of a PostgreSQL 15; where it is missing, CI fails and a person's tests are skipped."""
    if not (PROGRAMS / "initdb").exists():
        missing(f"{PROGRAMS} is missing: apt install postgresql-15")
    data = tmp_path / "data"
    account = account_for(tmp_path, data)

    def call(program: str, *options: str) -> None:
        command = [*account.prefix, str(PROGRAMS / program), f"--pgdata={data}", *options]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, cwd=tmp_path, env={"LC_ALL": "C"})

    data.mkdir(mode=0o700)
    account.give(data, account.server)
    call("initdb", "--username=postgres", "--auth=trust", "--encoding=UTF8", "--no-sync")
    call("pg_ctl", "start", "--wait", f"--options=-h '' -k '{tmp_path}'", f"--log={tmp_path / 'log'}")
    try:
        yield {"PGHOST": str(tmp_path), "PGUSER": "postgres", "PGDATABASE": "postgres"}
    finally:
        call("pg_ctl", "stop", "--mode=immediate")
        shutil.rmtree(data)


@pytest.mark.parametrize("words", [["extractor", "run"], ["warehouse", "run", "--", "echo", "began"]])
def test_an_old_server_is_refused(words: list[str], old: dict[str, str], typed: Command) -> None:
    refused = typed(*words, **old, TMDB_TOKEN="t" * 40)
    assert (refused.returncode, refused.stdout) == (2, "")
    assert "is PostgreSQL 15." in refused.stderr and "16 or newer is needed" in refused.stderr
    assert "Traceback" not in refused.stderr
    with psycopg.connect(host=old["PGHOST"], user="postgres", dbname="postgres") as connection:
        assert connection.execute("select to_regnamespace('raw')").fetchone() == (None,)
