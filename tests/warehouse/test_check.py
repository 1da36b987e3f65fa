"""`make check` on databases that are not as they should be, and in surroundings that are not ours."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

import warehouse
from tests.warehouse.conftest import Command
from tools.check import walk

#: As much of the marts as an interrupted build leaves, with what TMDB sends and Python can't hold.
HALF_BUILT = """
create schema raw; create schema marts; create schema analytics;
create table raw.tmdb_response (resource text, http_status int, snapshot_date date);
insert into raw.tmdb_response select 'movie', 200, (now() at time zone 'UTC')::date;
create table marts.dim_movie (movie_id bigint primary key, title text, release_date date);
insert into marts.dim_movie values 
    (1, '千と千尋の神隠し', '12026-01-02'), (2, 'Brüno', 'infinity'), (3, null, null);
create table marts.fact_movie_daily (date_id date, movie_id bigint, load_id bigint);
insert into marts.fact_movie_daily select (now() at time zone 'UTC')::date, 1;
create view analytics.vw_top_movies as select *, '0044-03-15 BC'::date as long_ago from marts.dim_movie;
"""


@pytest.fixture
def half_built(database: dict[str, str]) -> dict[str, str]:
    with warehouse.connect(database) as connection:
        connection.execute(HALF_BUILT)
    return database


def test_an_empty_database_is_told_with_what_to_do(database: dict[str, str], typed: Command) -> None:
    refused = typed("tools.check", **database)
    assert (refused.returncode, refused.stdout) == (2, "")
    assert f"{database['PGDATABASE']} has no tables yet" in refused.stderr
    assert len(refused.stderr.splitlines()) == 1


def test_what_a_half_built_database_lacks_is_said_line_by_line(
    half_built: dict[str, str], typed: Command
) -> None:
    done = typed("tools.check", **half_built)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    lines = done.stdout.splitlines()
    assert "ok     SELECT COUNT(*) FROM dim_movie: 3" in lines
    assert (
        'relation "bridge_movie_genre" does not exist (a build that did not finish? make dbt)' in done.stdout
    )
    assert 'relation "vw_genre_popularity" does not exist' in done.stdout
    assert done.stderr.endswith(" wrong\n")
    assert any("12026-01-02 | 0044-03-15 BC" in line for line in lines)
    assert any("| infinity |" in line for line in lines)


def test_tables_without_rows_are_wrong_and_no_fault_of_the_program(
    half_built: dict[str, str], typed: Command
) -> None:
    with warehouse.connect(half_built) as connection:
        connection.execute("truncate marts.fact_movie_daily, marts.dim_movie, raw.tmdb_response")
    done = typed("tools.check", **half_built)
    assert done.returncode == 1
    assert "WRONG  SELECT COUNT(*) FROM dim_movie: 0" in done.stdout
    assert "nothing was fetched today, there are no facts" in done.stdout
    assert "Traceback" not in done.stderr


def test_a_role_that_may_not_look_is_told_so(half_built: dict[str, str], typed: Command) -> None:
    role = f"{half_built['PGDATABASE']}_nobody"
    with warehouse.connect(half_built) as connection:
        connection.execute(f"create role {role} login".encode())
        try:
            done = typed("tools.check", **{**half_built, "PGUSER": role})
            backup = typed("warehouse", "backup", "/dev/null/x", **{**half_built, "PGUSER": role})
        finally:
            connection.execute(f"drop role {role}".encode())
    assert (done.returncode, len(done.stderr.splitlines())) == (1, 1)
    assert "PostgreSQL ended the checks: permission denied for schema marts" in done.stderr
    assert (backup.returncode, backup.stderr) == (
        1,
        "warehouse: cannot write /dev/null/x: Not a directory\n",
    )


def test_without_a_landing_zone_there_is_nothing_to_compare_with(
    half_built: dict[str, str], typed: Command
) -> None:
    with warehouse.connect(half_built) as connection:
        connection.execute("drop schema raw cascade")
    assert "1; there is no landing zone to compare with" in typed("tools.check", **half_built).stdout


@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "Etc/GMT+12", "nowhere"])
def test_today_is_the_utc_day_wherever_the_client_is(
    zone: str, half_built: dict[str, str], typed: Command
) -> None:
    done = typed("tools.check", **{**half_built, "PGTZ": zone})
    assert "CURRENT_DATE: 1 of 1 films fetched today" in done.stdout, done.stderr


@pytest.mark.parametrize(
    "surroundings",
    [
        {"PYTHONIOENCODING": "ascii"},
        {"PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "LC_ALL": "C"},
    ],
)
def test_a_title_that_cannot_be_shown_is_replaced(
    surroundings: dict[str, str], half_built: dict[str, str], typed: Command
) -> None:
    done = typed("tools.check", **half_built, **surroundings)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert "????????" in done.stdout
    assert done.stderr.endswith(" wrong\n")


@pytest.mark.parametrize(
    ("output", "said"),
    [
        (">/dev/full", "cannot write to standard output: No space left on device"),
        ("<&- >&-", "cannot write to standard output: Bad file descriptor"),
        ("| true", "standard output was closed before the end"),
    ],
    ids=["full", "closed", "a pipe nobody reads"],
)
def test_an_answer_that_cannot_be_written_is_no_success(
    output: str, said: str, half_built: dict[str, str], project_root: Path
) -> None:
    with warehouse.connect(half_built) as connection:
        # more than a pipe takes before it is read
        connection.execute(
            "create or replace view analytics.vw_top_movies as"
            " select movie_id, repeat('x', 100000) as title, release_date, null::date as long_ago"
            " from marts.dim_movie"
        )
    done = subprocess.run(
        ["bash", "-c", f"set -o pipefail; {sys.executable} -m tools.check {output}"],
        cwd=project_root,
        env={**os.environ, **half_built},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (1, f"make check: {said}\n")


def test_what_the_reader_may_not_see_is_said(half_built: dict[str, str], role: str, typed: Command) -> None:
    with warehouse.connect(half_built) as connection:
        connection.execute(f"alter role {role} nosuperuser; grant usage on schema marts to {role}")
    done = typed("tools.check", **{**half_built, "PGUSER": role})
    assert done.returncode == 1
    assert "permission denied" in done.stdout
    assert "Traceback" not in done.stderr


def test_a_plan_of_citus_is_walked_to_its_leaves() -> None:
    """As Citus 13.2 says it, but for costs."""
    leaf = {"Node Type": "Limit", "Plans": [{"Node Type": "Index Scan"}]}
    job = {"Task Count": 1, "Tasks": [{"Node": "host=worker-1", "Remote Plan": [[{"Plan": leaf}]]}]}
    plan = {"Node Type": "Custom Scan", "Distributed Query": {"Job": job}}
    assert [node["Node Type"] for node in walk(plan)] == ["Custom Scan", "Limit", "Index Scan"]
