"""`python -m demo run`: what it takes from its surroundings, and what it says of a step that fails.

tests/end_to_end/test_demo.py runs it whole.
"""

import logging
import os
import signal
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from unittest.mock import patch

import pytest

from demo import run
from demo.server import StandInProcess


@pytest.fixture(autouse=True)
def _own_surroundings(tmp_path: Path) -> Iterator[None]:
    handlers, level = logging.root.handlers[:], logging.root.level
    with patch.dict(os.environ), patch.object(run, "LOG", tmp_path / "demo.log"):
        yield
    # the extractor sets up a log of its own
    logging.root.handlers[:] = handlers
    logging.root.setLevel(level)


def test_the_shell_says_nothing_to_the_demo() -> None:
    said = {"TMDB_DRY_RUN": "1", "TMDB_ENV_FILE": "/x", "PGSERVICE": "other", "PGTZ": "Asia/Tokyo"}
    os.environ.update(said)
    path = os.environ["PATH"]
    run.keep_apart({"PGHOST": "db", "PGDATABASE": run.DATABASE})
    told = {name: value for name, value in os.environ.items() if name.startswith(("TMDB_", "PG"))}
    assert told == {
        "PGHOST": "db",
        "PGDATABASE": run.DATABASE,
        "TMDB_ENV_FILE": "",
        "TMDB_BUILD_FOLDER": str(run.DBT_FOLDER),
    }
    assert os.environ["PATH"] == path


def test_in_the_image_dbt_writes_where_the_image_has_room() -> None:
    os.environ["TMDB_BUILD_FOLDER"] = "/tmp/dbt"
    run.keep_apart({"PGHOST": "db"})
    assert os.environ["TMDB_BUILD_FOLDER"] == "/tmp/dbt"


def test_a_step_that_fails_is_named_and_its_output_kept() -> None:
    with pytest.raises(run.StepFailedError, match=r"`python -c .*` ended with exit code 3"):
        run.step("-c", "import sys; print('out'); print('why', file=sys.stderr); sys.exit(3)")
    assert sorted(run.LOG.read_text().split()) == ["out", "why"]


def test_a_day_that_fails_is_named_and_its_output_kept() -> None:
    os.environ.update({"PGHOST": "127.0.0.1", "PGPORT": "1", "PGUSER": "nobody", "TMDB_ENV_FILE": ""})
    with StandInProcess("--films", "5") as tmdb:
        with pytest.raises(run.StepFailedError, match=r"extractor run .* --snapshot-date 2026-07-15` ended"):
            run.land(tmdb, date(2026, 7, 15), pages=1)
        assert tmdb.today == date(2026, 7, 15)
    assert "PostgreSQL" in run.LOG.read_text()


def test_a_program_that_waits_is_told_to_begin_or_ended_with_what_it_waits_for() -> None:
    waits = "import sys; sys.exit(5 if sys.stdin.buffer.read(1) == b'g' else 0)"
    with run.begun("-c", waits) as process, pytest.raises(run.StepFailedError, match="exit code 5"):
        run.finish(process, b"g")
    with pytest.raises(LookupError), run.begun("-c", "import time; time.sleep(600)") as process:
        raise LookupError
    assert process.returncode == -signal.SIGTERM
