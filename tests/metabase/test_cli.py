"""The commands as they are typed: what they print where, and their exit codes."""

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests import programs
from tests.metabase.conftest import EMAIL, PASSWORD, PROJECT, READER_PASSWORD, Applying, Warehouse, edit

Serve = Callable[..., Applying]


@pytest.fixture
def run(built: Warehouse, files: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """`python -m metabase …` on the copied files and the built manifest."""

    def command(
        *arguments: str, url: str = "http://127.0.0.1:1", **changes: str
    ) -> subprocess.CompletedProcess[str]:
        environment = {
            **{k: v for k, v in os.environ.items() if not k.startswith(("PG", "METABASE_", "TMDB_"))},
            **{"TMDB_ENV_FILE": "", "METABASE_URL": url, "METABASE_WAIT": "5", "METABASE_ADMIN_EMAIL": EMAIL},
            **{"METABASE_ADMIN_PASSWORD": PASSWORD, "METABASE_READER_PASSWORD": READER_PASSWORD},
            **{"METABASE_WAREHOUSE_HOST": built.pg["PGHOST"], "METABASE_WAREHOUSE_PORT": built.pg["PGPORT"]},
            **{"PGDATABASE": built.pg["PGDATABASE"], **changes},
        }
        options = ["--manifest", str(built.manifest.path), "--folder", str(files)]
        words = [arguments[0], *options, *arguments[1:]]
        return programs.run("metabase", words, cwd=PROJECT, env=environment)

    return command


def test_from_nothing_to_dashboards_and_back(
    serve: Serve, run: Callable[..., subprocess.CompletedProcess[str]]
) -> None:
    server = serve().server
    planned = run("plan", url=server.url)
    assert planned.returncode == 0, planned.stderr
    assert "+ the first user ada@example.com" in planned.stdout and "nothing was written" in planned.stdout
    assert server.writes == [] and not server.users

    applied = run("apply", url=server.url)
    assert applied.returncode == 0, applied.stderr
    assert "+ dashboard TMDB/Overview" in applied.stdout
    assert applied.stdout.endswith(f"48 cards ran; {server.url} has the dashboards\n")
    assert PASSWORD not in applied.stdout + applied.stderr

    server.forget()
    again = run("apply", "--no-run", url=server.url)
    assert (again.returncode, again.stdout) == (0, "nothing to change: Metabase is as the files say\n")
    assert server.writes == []

    next(iter(server.cards.values()))["dataset_query"]["sql"] = "x"
    films = server.named("card", "Films")["id"]
    server.put_card(
        films, {"dataset_query": {"type": "native", "database": 1, "native": {"query": "select 1"}}}
    )
    planned = run("plan", url=server.url)
    assert planned.stdout.count("~ card ") == 2 and planned.stdout.endswith(
        "2 to change; nothing was written\n"
    )


@pytest.mark.slow
def test_a_card_that_fails_fails_the_command(
    serve: Serve, files: Path, run: Callable[..., subprocess.CompletedProcess[str]]
) -> None:
    server = serve().server
    edit(files / "cards" / "films_tracked.sql", "count(*)", "count(*) / 0")
    done = run("apply", url=server.url)
    assert done.returncode == 1
    assert "TMDB/Cards/Pipeline health/Films tracked: ERROR: division by zero" in done.stderr


@pytest.mark.parametrize(
    ("changes", "code", "message"),
    [
        ({"METABASE_ADMIN_PASSWORD": ""}, 2, "METABASE_ADMIN_PASSWORD"),
        ({"METABASE_READER_PASSWORD": ""}, 2, "METABASE_READER_PASSWORD"),
        ({"METABASE_WAIT": "0.1"}, 1, "no Metabase is ready at http://127.0.0.1:1"),
    ],
)
def test_what_is_wrong_is_told_in_a_line(
    run: Callable[..., subprocess.CompletedProcess[str]], changes: dict[str, str], code: int, message: str
) -> None:
    done = run("apply", **changes)
    assert (done.returncode, done.stdout) == (code, "")
    assert done.stderr.splitlines()[-1].startswith("metabase: ") and message in done.stderr
    assert "Traceback" not in done.stderr


def test_check_passes_and_a_mistake_exits_2_with_its_place(
    files: Path, run: Callable[..., subprocess.CompletedProcess[str]]
) -> None:
    done = run("check")
    assert (done.returncode, done.stderr) == (0, "") and done.stdout.startswith("6 dashboards with 48 cards")
    edit(files / "cards" / "films_tracked.sql", "movie.is_stale", "movie.is_old")
    done = run("check")
    assert done.returncode == 2 and done.stdout == ""
    assert "films_tracked.sql:3: movie has no column 'is_old'" in done.stderr


def test_wrong_use_exits_2(run: Callable[..., subprocess.CompletedProcess[str]]) -> None:
    assert run("apply", "--purge").returncode == 2
