"""Real films through the stand-in, the extractor and dbt, as a user runs them; every table is then held
against plain Python's reading of the same files."""

import datetime as dt
import gzip
import json
import re
import subprocess
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest

from demo.server import StandIn
from tests.dbt_project.expected import Landed
from tests.dbt_project.marts import assert_as_landed

FIVE_THOUSAND = "movies_5000.jsonl.gz"
SNAPSHOTS = {
    dt.date(2019, 10, 31): "2019-10-31a.jsonl.gz",
    dt.date(2019, 11, 1): "2019-10-31b.jsonl.gz",
    dt.date(2019, 12, 7): "2019-12-07.jsonl.gz",
}

Make = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def tmdb(shared: Path) -> Any:
    """The stand-in, ready for a file."""
    with StandIn(data=shared / "tmdb" / FIVE_THOUSAND) as server:
        yield server


@pytest.fixture
def make(project_root: Path, database: dict[str, str], tmdb: StandIn) -> Make:
    """Runs make in the project, on the test's database and stand-in."""

    def run(*words: str) -> subprocess.CompletedProcess[str]:
        environment = {
            **database,
            "TMDB_TOKEN": tmdb.token,
            "TMDB_BASE_URL": tmdb.base_url,
            "TMDB_MAX_RPS": "10000",
            "TMDB_BLOCKS": "credits,keywords",  # the recorded films have no other
        }
        assignments = [f"{name}={value}" for name, value in environment.items()]
        return subprocess.run(
            ["env", *assignments, "make", *words],
            cwd=project_root,
            capture_output=True,
            text=True,
            check=False,
        )

    return run


def films(path: Path, date: dt.date) -> list[Landed]:
    """What must be landed of a file for a date."""
    with gzip.open(path, "rt") as lines:
        payloads = [json.loads(line) for line in lines]
    return [Landed("movie", date, film["id"], 200, film) for film in payloads]


def lists(tmdb: StandIn, date: dt.date) -> list[Landed]:
    """What must be landed of the lists for a date."""
    paths = {
        "genre_list": "/genre/movie/list",
        "country_list": "/configuration/countries",
        "language_list": "/configuration/languages",
    }
    landed = []
    for resource, path in paths.items():
        request = urllib.request.Request(
            tmdb.base_url + path, headers={"Authorization": f"Bearer {tmdb.token}"}
        )
        with urllib.request.urlopen(request) as response:
            landed.append(Landed(resource, date, 0, 200, json.load(response)))
    return landed


def connect(database: dict[str, str]) -> psycopg.Connection:
    """A connection to the test's database."""
    return psycopg.connect(
        host=database["PGHOST"],
        port=database["PGPORT"],
        user=database["PGUSER"],
        password=database.get("PGPASSWORD"),
        dbname=database["PGDATABASE"],
        autocommit=True,
    )


@pytest.mark.slow
def test_five_thousand_films(make: Make, shared: Path, database: dict[str, str], tmdb: StandIn) -> None:
    date = dt.date(2018, 1, 1)
    done = make("elt", "PAGES=250", f"DATE={date}")
    assert done.returncode == 0, done.stdout + done.stderr
    closing = done.stdout[done.stdout.index("Data quality:") :]
    assert re.match(r"Data quality: \d+ tests, \d+ passed, \d+ with warnings, 0 failed", closing)
    assert "warn  money_is_plausible: 44 rows, new" in closing
    landed = films(shared / "tmdb" / FIVE_THOUSAND, date) + lists(tmdb, date)
    with connect(database) as connection:
        assert_as_landed(lambda query: connection.execute(query.encode()).fetchall(), landed)
        count, keys = connection.execute(
            "select count(*), count(distinct movie_id) from fact_movie_daily"
        ).fetchone() or (0, 0)
        assert count == keys == 4803
    checked = make("check")
    assert checked.returncode == 0, checked.stdout


@pytest.mark.slow
def test_three_snapshots(make: Make, shared: Path, database: dict[str, str], tmdb: StandIn) -> None:
    landed = []
    for date, name in SNAPSHOTS.items():
        tmdb.use(data=shared / "tmdb" / "snapshots" / name)
        done = make("extract", "PAGES=500", f"DATE={date}", "TRACK_DAYS=0")
        assert done.returncode == 0, done.stdout + done.stderr
        landed += films(shared / "tmdb" / "snapshots" / name, date) + lists(tmdb, date)
    done = make("dbt")
    assert done.returncode == 0, done.stdout + done.stderr
    with connect(database) as connection:
        assert_as_landed(lambda query: connection.execute(query.encode()).fetchall(), landed)
        dates = connection.execute("select distinct date_id from fact_movie_daily order by 1").fetchall()
        assert [row[0] for row in dates] == list(SNAPSHOTS)
