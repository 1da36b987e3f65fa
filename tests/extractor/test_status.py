"""`extractor status`: what a person and a monitor read."""

import json
from datetime import timedelta

import pytest

from demo.faults import Faults
from demo.server import StandIn
from extractor.values import today
from tests.extractor.conftest import DAY, Extract, Program, Zone


def test_before_anything_was_extracted(program: Program) -> None:
    done = program("status", TMDB_TOKEN=None)
    assert done.returncode == 0 and "Nothing was extracted yet" in done.stdout
    assert json.loads(program("status", "--json").stdout)["runs"] == []
    done = program("status", "--max-age", "1d")
    assert done.returncode == 1 and "none ever did" in done.stderr


def test_it_tells_of_runs_dates_failures_and_lag(
    program: Program, extract: Extract, tmdb: StandIn, zone: Zone
) -> None:
    tmdb.repeats = 0.0
    extract(pages=10)
    tmdb.today = DAY + timedelta(days=1)
    lost = tmdb.ids()[3]
    tmdb.faults = Faults(permanent={lost: "text"})
    extract(pages=10, max_tries=1)
    shown = program("status")
    assert shown.returncode == 0, shown.stderr
    for word in ("popular", "finished", str(DAY), str(tmdb.today), "genre_list", "not_json", str(lost)):
        assert word in shown.stdout, shown.stdout
    read = json.loads(program("status", "--json").stdout)
    assert [run["run_id"] for run in read["runs"]] == [2, 1]
    assert read["runs"][0]["failed"] == 1 and read["runs"][0]["status"] == "finished"
    films = {row["snapshot_date"]: row["rows"] for row in read["dates"] if row["resource"] == "movie"}
    assert films[str(DAY)] == 200 and films[str(tmdb.today)] >= 199
    (failure,) = read["failures"]
    assert (failure["reason"], failure["count"], failure["example_id"]) == ("not_json", 1, lost)
    assert read["last_snapshot_date"] == str(tmdb.today)
    assert read["lag_days"] == (today() - tmdb.today).days


def test_a_monitor_learns_of_a_run_that_is_missing_by_the_exit_code(
    program: Program, extract: Extract, zone: Zone
) -> None:
    extract(pages=1)
    assert program("status", "--max-age", "1h").returncode == 0
    zone.execute("update raw.extract_run set finished_at = now() - interval '25 hours'")
    done = program("status", "--json", TMDB_MAX_AGE="1d")
    assert done.returncode == 1 and "no run has finished within 1d: the last one did at" in done.stderr
    assert json.loads(done.stdout)["runs"]
    assert program("status", "--max-age", "26").returncode == 0
    # a later run that failed does not count
    zone.execute(
        "insert into raw.extract_run (mode, parameters, snapshot_date, status, finished_at)"
        " values ('popular', '{}', '2026-08-21', 'failed', now())"
    )
    assert program("status", "--max-age", "1d").returncode == 1


@pytest.mark.parametrize("age", ["soon", "-1h"])
def test_a_wrong_age_is_wrong_use(program: Program, age: str) -> None:
    done = program("status", f"--max-age={age}")
    assert done.returncode == 2 and "must be a length of time" in done.stderr
