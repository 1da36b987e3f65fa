"""After `extractor prune` nothing is lost: not by a full refresh, not by an increment."""

import datetime as dt
import os
import subprocess
from pathlib import Path

import pytest

from tests import programs
from tests.dbt_project.conftest import LandingZone
from tests.dbt_project.marts import assert_as_landed
from tests.dbt_project.runner import Dbt
from tests.dbt_project.test_increment import FILMS

FACTS = "select count(*), min(date_id)::text from marts.fact_movie_daily"


def prune(project_root: Path, *options: str) -> subprocess.CompletedProcess[str]:
    return programs.run(
        "extractor", ["prune", "--keep-days", "60", *options], cwd=project_root, env=os.environ
    )


@pytest.mark.slow
def test_pruned_history_stays_in_the_marts(built_zone: LandingZone, dbt: Dbt, project_root: Path) -> None:
    today = dt.datetime.now(dt.UTC).date()
    built_zone.land(dt.date(2025, 1, 15), FILMS)
    built_zone.land(today, FILMS)
    refused = prune(project_root)
    assert refused.returncode != 0, "the marts have not taken it yet"
    built_zone.build()

    assert prune(project_root, "--dry-run").returncode == 0
    assert built_zone.rows("select count(*) from raw.tmdb_response where snapshot_date < '2025-02-01'") != [
        (0,)
    ]
    done = prune(project_root)
    assert done.returncode == 0, done.stderr
    assert built_zone.rows("select count(*) from raw.tmdb_response where snapshot_date < '2025-02-01'") == [
        (0,)
    ]

    def reparse() -> None:
        dbt("run", "--full-refresh", "--vars", "reparse: true")

    for rebuild in (lambda: built_zone.build("full refresh"), reparse):
        rebuild()
        assert built_zone.rows(FACTS) == [(2 * len(FILMS), "2025-01-15")]
        assert_as_landed(built_zone.rows, built_zone.landed.values())

    built_zone.land(today + dt.timedelta(days=1), FILMS)
    built_zone.build()
    assert built_zone.rows(FACTS) == [(3 * len(FILMS), "2025-01-15")]
