"""The day by the clock: the program that the container `scheduler` runs, with a day of the tests' own."""

import asyncio
import os
import signal
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tools import schedule


@pytest.mark.parametrize(
    ("fields", "next_time"),
    [
        ("0 9 * * *", "2026-01-02 09:00"),
        ("30 7 * * 1", "2026-01-05 07:30"),
        ("*/15 * * * *", "2026-01-01 12:15"),
        ("0 0 29 2 *", "2028-02-29 00:00"),
    ],
)
def test_the_next_time_is_in_utc(fields: str, next_time: str) -> None:
    after = datetime(2026, 1, 1, 12, tzinfo=UTC)
    assert schedule.next_time(fields, after).strftime("%Y-%m-%d %H:%M") == next_time


@pytest.mark.parametrize(
    "fields", ["daily", "0 9 * *", "61 9 * * *", "0 9 30 2 *", "@daily", "0 9 * * * root"]
)
def test_what_names_no_time_ends_with_a_line(fields: str, project_root: Path) -> None:
    done = subprocess.run(
        [project_root / "deploy" / "schedule"],
        env={**os.environ, "PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin", "ELT_SCHEDULE": fields},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 2, done.stderr
    assert done.stderr.count("\n") == 1
    assert f"ELT_SCHEDULE={fields} names no time: write minute hour day month weekday" in done.stderr


def test_check_says_when_and_ends(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("ELT_SCHEDULE", "")
    assert schedule.main(["--check"]) == 0
    assert "ELT_SCHEDULE=0 9 * * * is next at " in capsys.readouterr().err


DAY = """
import os, pathlib, signal, sys, time
def stop(*_):
    pathlib.Path(sys.argv[1]).write_text("stopped")
    sys.exit(143)
signal.signal(signal.SIGTERM, stop)
pathlib.Path(sys.argv[1]).write_text("begun")
time.sleep(60)
"""


def test_a_stop_in_mid_day_reaches_the_day_and_waits_for_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = tmp_path / "told"
    due = iter([datetime.now(UTC)])
    monkeypatch.setattr(schedule, "next_time", lambda *_: next(due))

    async def stopped() -> int:
        running = asyncio.create_task(
            schedule.Schedule("* * * * *", (sys.executable, "-c", DAY, str(told))).run()
        )
        while not told.exists() or not told.read_text():  # noqa: ASYNC110 - another process writes it
            await asyncio.sleep(0.05)
        os.kill(os.getpid(), signal.SIGTERM)
        return await running

    assert asyncio.run(stopped()) == 143
    assert told.read_text() == "stopped"


def test_a_failed_day_is_said_and_the_next_one_awaited(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    due = iter([datetime.now(UTC), datetime.now(UTC), datetime(9999, 1, 1, tzinfo=UTC)])

    def next_time(*_: object) -> datetime:
        time_ = next(due)
        if time_.year == 9999:
            asyncio.get_running_loop().call_later(0.1, os.kill, os.getpid(), signal.SIGTERM)
        return time_

    monkeypatch.setattr(schedule, "next_time", next_time)

    caplog.set_level("INFO")
    assert (
        asyncio.run(schedule.Schedule("* * * * *", (sys.executable, "-c", "raise SystemExit(3)")).run()) == 0
    )
    assert caplog.text.count("the day ended with exit code 3") == 2
