"""`make demo` as a new user runs it, on few films and days."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.end_to_end.test_real_films import connect

DAYS = 3


@pytest.fixture
def demo(project_root: Path, postgres: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """The variables of the demo's own database."""
    for name, value in postgres.items():
        monkeypatch.setenv(name, value)
    return {**postgres, "PGDATABASE": "tmdb_demo"}


def run_demo(project_root: Path, *options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [
            *(sys.executable, "-m", "demo", "run", "--films", "60", "--pages", "2"),
            *("--days", str(DAYS), *options),
        ],
        cwd=project_root,
        env={**os.environ, "COLUMNS": "120"},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.slow
def test_demo_lands_days_builds_and_shows(
    demo: dict[str, str], project_root: Path, database: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    other = database["PGDATABASE"]
    monkeypatch.setenv("PGDATABASE", other)
    # what the shell says to `make elt` and to another dbt project is not said to the demo
    for name, value in {
        "TMDB_DRY_RUN": "1",
        "TMDB_TIMEOUT": "no number",
        "TMDB_MODE": "export",
        "DBT_PROJECT_DIR": "/nowhere",
        "DBT_TARGET_PATH": "/nowhere/target",
        "DBT_TARGET": "elsewhere",
    }.items():
        monkeypatch.setenv(name, value)
    done = run_demo(project_root)
    assert done.returncode == 0, done.stderr
    with connect(demo) as connection:
        films, facts, days, today = connection.execute(
            "select (select count(*) from dim_movie), count(*), count(distinct date_id),"
            " max(date_id) = current_date from fact_movie_daily"
        ).fetchone() or (0, 0, 0, False)
        top = connection.execute("select title from vw_top_movies limit 10").fetchall()
    assert films >= 30 and days == DAYS and today
    assert f"{films} films, {facts} facts, {days} days" in done.stdout
    shown = re.sub(r"\s+", " ", done.stdout)
    for (title,) in top:
        assert title[:20] in shown
    assert "What to type next" in done.stdout and "build/preview.html" in done.stdout

    # the database of `make elt` is another, and nobody has touched it
    with connect({**demo, "PGDATABASE": other}) as connection:
        assert connection.execute("select to_regnamespace('raw'), to_regnamespace('marts')").fetchone() == (
            None,
            None,
        )

    again = run_demo(project_root, "--no-preview", "--days", "1")
    assert again.returncode == 0, again.stderr
    assert f"{films} films, {facts} facts, {days} days" in again.stdout, "the same day again adds nothing"
    # a container has neither make nor a browser
    assert "make " not in again.stdout and "preview.html" not in again.stdout
