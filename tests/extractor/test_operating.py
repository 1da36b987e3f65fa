"""What a year of operation brings: two schedulers at once, a laptop asleep for a week, clocks that change, a
full disk. docs/operating.md says the outcomes; this shows them.

Elsewhere: a second extractor and a disk that fills up under one (test_kills), a build on a full disk
(tests/dbt_project/test_full_disk), the window of mode changes (test_changes), and what views say over missed
days (dbt's unit tests trend_compares_over_missed_days and genre_trend_over_a_gap).
"""

import asyncio
import contextlib
import itertools
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta, tzinfo
from pathlib import Path
from typing import Any

import pytest

from demo.server import StandIn
from extractor import pipeline, settings, values
from tests.extractor.conftest import DAY, TOKEN, Extract, Hook, Program, Silent, Zone, wait_for
from tests.left_out import slow_but
from tools import elt

#: A project of dbt's that is parsed at once, with a model that can be built and one that can't.
MODELS = {
    "fine": "select 1 as x",
    "broken": "select 1 / 0 as x from pg_class",
    "landed": "select count(*) as films, '{{ target.dbname }}' as database from raw.tmdb_response"
    " where resource = 'movie' and http_status = 200",
}

Elt = Callable[..., subprocess.Popen[str]]


@pytest.fixture
def start_elt(environment: dict[str, str], project_root: Path, tmp_path: Path, hook: Hook) -> Iterator[Elt]:
    """Starts `python -m tools.elt`, as `make elt` does, on the project of MODELS; the webhook is `hook`."""
    started: list[subprocess.Popen[str]] = []
    (tmp_path / "models").mkdir()
    for name, query in MODELS.items():
        materialized = "view" if name == "fine" else "table"
        (tmp_path / "models" / f"{name}.sql").write_text(
            f"{{{{ config(materialized='{materialized}') }}}} {query}"
        )
    (tmp_path / "dbt_project.yml").write_text("{name: small, config-version: 2, profile: tmdb}")

    def run(*words: str, **variables: str) -> subprocess.Popen[str]:
        project = ["--project-dir", str(tmp_path)]
        process = subprocess.Popen(
            [sys.executable, "-m", "tools.elt", *words, *([] if "--" in words else ["--"]), *project],
            cwd=project_root,
            env={
                **environment,
                "TMDB_BUILD_FOLDER": str(tmp_path),
                "TMDB_NOTIFY_URL": hook.url,
                **variables,
            },
            stdin=subprocess.DEVNULL,
            start_new_session=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        return process

    yield run
    for process in started:
        if process.poll() is None:
            process.terminate()
        process.communicate(timeout=60)


class TestTwoSchedulers:
    @pytest.mark.slow
    def test_the_second_day_says_who_is_at_work_and_ends(
        self, start_elt: Elt, tmdb: StandIn, zone: Zone, hook: Hook, tmp_path: Path
    ) -> None:
        first = start_elt("--", "--select", "fine", TMDB_MAX_RPS="40")
        wait_for(lambda: tmdb.traffic.count("/3/movie/") >= 10)
        second = start_elt()
        _, said = second.communicate(timeout=120)
        assert second.returncode == 1
        assert f"another make elt or make dbt is at work on these tables: process {first.pid} on " in said
        (told,) = hook.contents()
        assert (told["step"], told["status"], told["exit_code"]) == ("start", "failed", 1)
        # the first one's lock is lost with its connection, as when the server is restarted: it takes it again
        zone.rows(
            "select pg_terminate_backend(pid) from pg_stat_activity where application_name like %s",
            f"tmdb-elt build pid={first.pid} %",
        )
        _, said = first.communicate(timeout=120)
        assert first.returncode == 0, said
        assert zone.rows("select status from raw.extract_run") == [("finished",)]
        assert zone.one("select x from public.fine") == 1
        # and its closing line, whose figures are kept for the job's summary
        took = re.search(
            r"INFO done after (\S+) s: extract (\S+) s, dbt build (\S+) s \(models \S+ s\)", said
        )
        assert took
        total, extract, build = map(float, took.groups())
        assert extract > 1 and extract + build <= total + 0.1
        kept = json.loads((tmp_path / "target" / "elt.json").read_text())
        assert [round(step["seconds"], 1) for step in kept["steps"]] == [extract, build]
        assert len(hook.received) == 1

    def test_a_day_that_was_killed_is_at_work_until_its_step_has_ended(
        self, start_elt: Elt, tmdb: StandIn, zone: Zone
    ) -> None:
        process = start_elt(TMDB_MAX_RPS="25")
        wait_for(lambda: tmdb.traffic.count("/3/movie/") >= 10)
        process.kill()
        process.wait(60)

        def is_free() -> bool:
            # a session of its own, which gives the lock back as it ends
            return bool(zone.one("select pg_try_advisory_lock(%s)", elt.LOCK.key))

        assert not is_free()
        assert zone.last_run()["status"] == "running"
        os.killpg(process.pid, signal.SIGTERM)
        wait_for(is_free)
        assert zone.last_run()["status"] == "interrupted"

    def test_nor_does_a_build_run_beside_another(self, start_elt: Elt, zone: Zone, hook: Hook) -> None:
        with zone.connection() as connection:
            connection.execute("set application_name = 'somebody else'")
            connection.execute("select pg_advisory_lock(%s)", [elt.LOCK.key])
            refused = start_elt("--build-only")
            _, said = refused.communicate(timeout=120)
        assert refused.returncode == 1 and "session 'somebody else'" in said
        # who types make dbt sees it
        assert hook.received == []


def test_a_selection_of_nothing_is_no_build(start_elt: Elt) -> None:
    ended = start_elt("--build-only", "--", "--select", "broekn")
    said = "".join(ended.communicate(timeout=120))
    assert ended.returncode == 2 and "SELECT names nothing" in said and "'broekn' does not match" in said


@pytest.mark.slow
def test_a_failed_build_is_told_with_what_failed(
    start_elt: Elt, tmdb: StandIn, zone: Zone, hook: Hook
) -> None:
    failed = start_elt("--log-format", "json", "--pages", "1")
    built, said = failed.communicate(timeout=120)
    assert failed.returncode == 1
    lines = [json.loads(line) for line in said.splitlines()]
    assert "step 2 of 2 failed: dbt build: 1 in error: model.small.broken. " in lines[-3]["message"]
    assert lines[-2]["message"].startswith("ended after ")
    assert all(isinstance(json.loads(line), dict) for line in built.splitlines())
    (told,) = hook.contents()
    assert (told["step"], told["status"], told["exit_code"]) == ("dbt build", "failed", 1)
    assert "model.small.broken" in told["reason"] and "model.small.fine" not in told["reason"]
    assert TOKEN not in str(told) + said + built and hook.url not in said
    # the films are landed all the same
    assert len(zone.films()) > 15


def test_a_failed_extraction_is_told_once_and_nothing_is_built(start_elt: Elt, hook: Hook) -> None:
    failed = start_elt(TMDB_TOKEN="")
    built, said = failed.communicate(timeout=120)
    assert failed.returncode == 2 and built == ""
    assert "step 1 of 2 failed: extract. The tables were not built (exit code 2)" in said
    assert [told["step"] for told in hook.contents()] == ["extract"]


@pytest.mark.parametrize("send", slow_but(1, [os.kill, os.killpg]))
def test_sigterm_ends_the_step_and_the_day(
    start_elt: Elt, tmdb: StandIn, zone: Zone, hook: Hook, send: Callable[[int, int], None]
) -> None:
    """Sent to the program, as by a container's engine, or to all of its group, as by systemd."""
    process = start_elt(TMDB_MAX_RPS="25")
    wait_for(lambda: tmdb.traffic.count("/3/movie/") >= 10)
    send(process.pid, signal.SIGTERM)
    built, _ = process.communicate(timeout=60)
    assert process.returncode == 143 and built == ""
    assert zone.last_run()["error"] == "stopped by a signal"
    assert [(told["step"], told["status"]) for told in hook.contents()] == [("extract", "interrupted")]


@pytest.mark.slow
def test_ctrl_c_ends_a_build_without_a_traceback(start_elt: Elt, zone: Zone, tmp_path: Path) -> None:
    slow = "{{ config(materialized='table') }} select pg_sleep(30)::text as slept"
    (tmp_path / "models" / "slow.sql").write_text(slow)
    process = start_elt("--build-only", "--", "--select", "slow")
    at_work = "select exists (select from pg_stat_activity where state = 'active' and query like %s)"
    wait_for(lambda: zone.one(at_work, "%create%table%pg_sleep(30)%") or process.poll())
    os.killpg(process.pid, signal.SIGINT)
    built, said = process.communicate(timeout=60)
    assert process.returncode == 130 and "Traceback" not in built + said and "leaked" not in said
    assert "dbt build failed" in said and zone.one("select to_regclass('public.slow') is null")


@pytest.mark.parametrize(
    ("variables", "code", "what"),
    [
        ({"PGHOST": "127.0.0.1", "PGPORT": "1"}, 1, "cannot reach PostgreSQL"),
        ({"TMDB_BUILD_FOLDER": "/dev/null"}, 2, "dbt's folder /dev/null (Not a directory): mend that"),
    ],
)
def test_a_day_that_cannot_begin_fails_before_anything_is_asked_and_is_told(
    start_elt: Elt, tmdb: StandIn, hook: Hook, variables: dict[str, str], code: int, what: str
) -> None:
    failed = start_elt(**variables)
    _, said = failed.communicate(timeout=120)
    assert failed.returncode == code and what in said and tmdb.traffic.count("/3/") == 0
    assert [told["step"] for told in hook.contents()] == ["start"]


def children(process: subprocess.Popen[str], word: str) -> list[Path]:
    """The processes of the day's group whose command line has the word."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if os.getpgid(int(folder.name)) == process.pid and word in (folder / "cmdline").read_text():
                found.append(folder)
    return found


class TestDbtIsReady:
    """dbt is loaded and has read the project when the films are landed, and builds not before."""

    @pytest.mark.slow
    def test_it_waits_for_the_films_and_reads_what_was_changed_meanwhile(
        self, start_elt: Elt, tmdb: StandIn, zone: Zone, tmp_path: Path
    ) -> None:
        go_on = threading.Event()
        tmdb.watch = lambda *_: bool(go_on.wait(100)) and None
        day = start_elt("--", "--select", "landed", TMDB_TIMEOUT="120")
        parsed = tmp_path / "target" / "partial_parse.msgpack"
        wait_for(parsed.exists)
        assert zone.last_run()["status"] == "running"
        (dbt,) = children(day, "--wait")
        model = tmp_path / "models" / "landed.sql"
        model.write_text(model.read_text().replace("count(*)", "-count(*)"))
        go_on.set()
        built, said = day.communicate(timeout=120)
        assert day.returncode == 0, built + said
        assert zone.one("select films from public.landed") == -len(zone.films())
        assert not dbt.exists()

    @pytest.mark.slow
    @pytest.mark.parametrize("variables", [{"TMDB_TOKEN": ""}, {"TMDB_BASE_URL": "http://127.0.0.1:1/3"}])
    def test_it_goes_without_a_word_when_there_is_nothing_to_build(
        self, variables: dict[str, str], start_elt: Elt, zone: Zone
    ) -> None:
        day = start_elt("--", "--select", "fine", TMDB_MAX_TRIES="1", **variables)
        built, _ = day.communicate(timeout=120)
        assert day.returncode in (1, 2) and built == ""
        assert children(day, "dbt_command") == []
        assert zone.one("select to_regclass('public.fine')") is None

    @pytest.mark.slow
    def test_it_ends_when_the_day_was_killed(self, start_elt: Elt, tmdb: StandIn, tmp_path: Path) -> None:
        day = start_elt(TMDB_MAX_RPS="25")
        wait_for(lambda: children(day, "--wait") and tmdb.traffic.count("/3/movie/") >= 10)
        day.kill()
        day.wait(60)
        wait_for(lambda: not children(day, "--wait"))

    @pytest.mark.slow
    def test_its_exit_code_and_words_are_dbts_own(self, start_elt: Elt, zone: Zone) -> None:
        day = start_elt("--pages", "1", "--", "--no-such-option")
        _, said = day.communicate(timeout=120)
        assert day.returncode == 2
        assert "No such option '--no-such-option'" in said or "No such option: --no-such-option" in said
        assert "step 2 of 2 failed: dbt build. The films are landed" in said


@pytest.mark.parametrize("how", [{"TMDB_DRY_RUN": "1"}, {"words": ("--dry-run",)}])
def test_a_dry_run_only_says(how: dict[str, Any], start_elt: Elt, zone: Zone) -> None:
    day = start_elt(*how.pop("words", ()), "--pages", "1", **how)
    said, _ = day.communicate(timeout=120)
    assert day.returncode == 0
    assert "would fetch 20 films" in said
    assert zone.one("select to_regnamespace('raw')") is None
    assert zone.one("select to_regclass('public.fine')") is None


@pytest.mark.slow
def test_a_signal_that_is_ignored_stays_ignored(start_elt: Elt, tmdb: StandIn, zone: Zone) -> None:
    """As `nohup` has it: the terminal goes, and the day goes on."""
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        day = start_elt("--", "--select", "landed", TMDB_MAX_RPS="40")
    finally:
        signal.signal(signal.SIGHUP, before)
    wait_for(lambda: tmdb.traffic.count("/3/movie/") >= 10)
    os.killpg(day.pid, signal.SIGHUP)
    built, said = day.communicate(timeout=120)
    assert day.returncode == 0, built + said
    assert zone.one("select films from public.landed") == len(zone.films())


@pytest.mark.slow
@pytest.mark.parametrize("module", ["tools.elt", "extractor"])
def test_sigterm_while_postgresql_does_not_answer_is_told(
    module: str, environment: dict[str, str], project_root: Path, hook: Hook
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as mute:
        variables = {"PGHOST": "127.0.0.1", "PGPORT": str(mute.getsockname()[1]), "TMDB_NOTIFY_URL": hook.url}
        words = ["run"] if module == "extractor" else []
        with subprocess.Popen(
            [sys.executable, "-m", module, *words],
            cwd=project_root,
            env={**environment, **variables},
            stderr=subprocess.PIPE,
            text=True,
        ) as process:
            # held: a connection that is closed is an answer
            accepted, _ = mute.accept()
            with accepted:
                process.terminate()
                _, said = process.communicate(timeout=60)
    assert process.returncode == 143, said
    assert hook.contents(), said
    (told,) = hook.contents()
    assert (told["status"], told["exit_code"]) == ("interrupted", 143)


class TestAsleepForAWeek:
    """Popularity of a past day cannot be had: the days stay missing, and everything says so."""

    def test_only_days_that_were_seen_have_rows(
        self, program: Program, extract: Extract, tmdb: StandIn, zone: Zone
    ) -> None:
        seen = [DAY, DAY + timedelta(days=1), DAY + timedelta(days=8)]
        for day in seen:
            tmdb.today = day
            extract(pages=5)
        dates = zone.rows("select distinct snapshot_date from raw.tmdb_response order by 1")
        assert [day for (day,) in dates] == seen
        # films that were popular before the gap are still tracked after it
        before = zone.films(seen[0]) | zone.films(seen[1])
        assert before <= zone.films(seen[2]) | zone.films(seen[2], status=404)

        # a monitor hears of it, whatever the runs before and after said
        zone.execute("update raw.extract_run set finished_at = now() - interval '7 days' where run_id <= 2")
        zone.execute("delete from raw.extract_run where run_id = 3")
        assert program("status", "--max-age", "36h").returncode == 1


class TestClocksChange:
    @pytest.mark.parametrize("zone_name", ["Pacific/Kiritimati", "Etc/GMT+12"])
    def test_a_day_is_a_utc_day_wherever_the_machine_stands(
        self, program: Program, zone: Zone, zone_name: str
    ) -> None:
        """14 hours before UTC and 12 after it: in one of them it is always another date."""
        before = values.today()
        done = program("run", "--limit", "2", TMDB_SNAPSHOT_DATE=None, TZ=zone_name)
        assert done.returncode == 0, done.stderr
        assert before <= zone.last_run()["snapshot_date"] <= values.today()
        # summer time neither repeats nor skips an hour of the log
        said = datetime.fromisoformat(done.stderr[:20])
        assert abs(datetime.now(UTC) - said) < timedelta(minutes=1)

    def test_a_clock_that_jumps_changes_neither_date_nor_pace(
        self, tmdb: StandIn, zone: Zone, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        tmdb.repeats = 0.0
        midnight = datetime(2026, 8, 20, 23, 59, 59, tzinfo=UTC)
        jumps = itertools.cycle(
            [timedelta(hours=1), timedelta(hours=-2), timedelta(days=9), timedelta(days=-8)]
        )

        class Jumping(datetime):
            at = midnight

            @classmethod
            def now(cls, tz: tzinfo | None = None) -> datetime:
                return cls.at

        monkeypatch.setattr("extractor.values.datetime", Jumping)
        monkeypatch.setattr("extractor.http.datetime", Jumping)
        given = {
            "TMDB_TOKEN": tmdb.token,
            "TMDB_BASE_URL": tmdb.base_url,
            "TMDB_PAGES": "5",
            "TMDB_MAX_RPS": "60",
        }
        loaded = settings.checked(given)

        def jump(_: Any) -> None:
            Jumping.at += next(jumps)
            wall = Jumping.at.timestamp()
            monkeypatch.setattr(time, "time", lambda: wall)

        silent = Silent()
        monkeypatch.setattr(silent, "update", jump)
        summary = asyncio.run(pipeline.extract(loaded, silent))
        assert Jumping.at != midnight
        assert zone.rows("select distinct snapshot_date from raw.tmdb_response") == [(midnight.date(),)]
        assert len(zone.films()) + len(zone.films(status=404)) == 100
        # 108 requests at 60 a second, by the clock that does not jump
        assert 1.5 < summary.seconds < 60

    def test_a_run_that_ends_before_it_began_or_in_the_future_is_no_good_news(
        self, program: Program, extract: Extract, zone: Zone
    ) -> None:
        extract(pages=1)
        zone.execute("update raw.extract_run set finished_at = started_at - interval '1 hour'")
        shown = program("status", "--max-age", "2h")
        assert shown.returncode == 0 and "-3,6" not in shown.stdout
        # the clock was a week ahead: that says nothing of today
        zone.execute("update raw.extract_run set finished_at = now() + interval '7 days'")
        assert program("status", "--max-age", "2h").returncode == 1
