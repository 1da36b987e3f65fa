"""Kills: whatever ends a run, the next one leaves the landing zone as an undisturbed run would have.

Four moments a seed: `KILL_SEEDS=50 make test SLOW=1 ARGS=tests/extractor/test_kills.py` takes others.
"""

import os
import random
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest

import warehouse
from demo.server import StandIn
from extractor.errors import LandingError
from extractor.landing import _DIED
from tests.extractor.conftest import DAY, Extract, Program, Start, Zone, wait_for
from tests.left_out import slow_but
from warehouse.errors import LockedError
from warehouse.server import Server


def _is_fetching_or_over(tmdb: StandIn, process: subprocess.Popen[str]) -> bool:
    return tmdb.traffic.count("/3/movie/") > 0 or process.poll() is not None


def movies_asked_for(tmdb: StandIn) -> list[int]:
    paths = tmdb.traffic.paths.copy()
    return sorted(
        int(path[9:]) for path, number in paths.items() for _ in range(number) if path[9:].isdigit()
    )


def finished(zone: Zone) -> bool:
    if not zone.one("select to_regclass('raw.extract_run') is not null"):
        return False
    return bool(zone.one("select count(*) from raw.extract_run where status = 'finished'"))


def landed(zone: Zone) -> set[int]:
    if not zone.one("select to_regclass('raw.tmdb_response') is not null"):
        return set()
    return zone.films() | zone.films(status=404)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(1, 1 + int(os.environ.get("KILL_SEEDS", "3"))))
def test_killed_at_any_moment_the_next_run_goes_on(
    start: Start, program: Program, tmdb: StandIn, zone: Zone, extract: Extract, seed: int
) -> None:
    chance = random.Random(seed)
    tmdb.repeats = 0.0
    ended = 0
    for _ in range(4):
        before = landed(zone)
        assert not finished(zone)
        tmdb.traffic.reset()
        process = start(TMDB_MAX_RPS="60")
        if chance.random() < 0.7:  # in the fetching, not in the start of the interpreter
            wait_for(partial(_is_fetching_or_over, tmdb, process))
        time.sleep(chance.uniform(0, 1.2))
        process.send_signal(chance.choice([signal.SIGKILL, signal.SIGKILL, signal.SIGTERM, signal.SIGINT]))
        process.wait(60)
        ended += process.returncode != 0
        assert before.isdisjoint(movies_asked_for(tmdb))
    assert ended == 4
    before = landed(zone)
    tmdb.traffic.reset()
    done = program("run", TMDB_PAGES="15")
    assert done.returncode == 0, done.stderr
    assert before.isdisjoint(movies_asked_for(tmdb))
    statuses = [status for (status,) in zone.rows("select status from raw.extract_run order by run_id")]
    assert statuses[-1] == "finished" and set(statuses[:-1]) <= {"interrupted"}
    zone.assert_counts_are_true()
    disturbed = zone.fingerprint()
    zone.execute("drop schema raw cascade")
    extract(pages=15)
    assert disturbed == zone.fingerprint()


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130), (signal.SIGHUP, 129)]
)
def test_a_signal_lands_what_is_in_hand_and_ends_the_run(
    start: Start, program: Program, tmdb: StandIn, zone: Zone, number: signal.Signals, code: int
) -> None:
    tmdb.repeats = 0.0
    process = start()
    wait_for(lambda: tmdb.traffic.count("/3/movie/") >= 40)
    process.send_signal(number)
    _, said = process.communicate(timeout=60)
    assert process.returncode == code
    assert f"{number.name}: landing what is in hand" in said and "Traceback" not in said
    run = zone.last_run()
    assert (run["status"], run["error"]) == ("interrupted", "stopped by a signal")
    assert run["finished_at"] is not None
    # all but the requests that were under way
    assert run["landed"] + run["not_found"] >= tmdb.traffic.count("/3/movie/") - 20 >= 20
    zone.assert_counts_are_true()


@pytest.mark.slow
def test_a_signal_ends_a_run_that_hangs_on_tmdb_and_on_postgresql(
    start: Start, tmdb: StandIn, zone: Zone
) -> None:
    process = start()
    wait_for(lambda: tmdb.traffic.count("/3/movie/") >= 40)
    tmdb.latency = 600
    with zone.connection() as connection, connection.transaction():
        # nobody writes to the ledger any more
        connection.execute("lock table raw.extract_run in access exclusive mode")
        time.sleep(0.5)
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=60)
    assert process.returncode == 143


def test_a_second_signal_ends_it_at_once(start: Start, tmdb: StandIn, zone: Zone) -> None:
    process = start()
    wait_for(lambda: tmdb.traffic.count("/3/movie/") >= 40)
    with zone.connection() as connection, connection.transaction():
        connection.execute("lock table raw.extract_run in access exclusive mode")
        process.send_signal(signal.SIGINT)
        time.sleep(0.8)  # sooner, it would be the same one, sent to the group and handed on
        assert process.poll() is None
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=60)  # while the ledger is still locked
    assert process.returncode == 130


class TestOneWriter:
    def test_a_second_run_says_who_is_at_work_and_stops(
        self, start: Start, program: Program, tmdb: StandIn, zone: Zone
    ) -> None:
        process = start(TMDB_MAX_RPS="20")
        wait_for(lambda: tmdb.traffic.count("/3/movie/") >= 20)
        second = program("run")
        assert second.returncode == 1
        assert f"run 1 (mode popular, {DAY}), process {process.pid} on " in second.stderr
        assert " UTC" in second.stderr and "Traceback" not in second.stderr
        assert zone.rows("select run_id, status from raw.extract_run") == [(1, "running")]
        process.terminate()
        assert process.wait(60) == 143

    def test_a_stranger_with_the_lock_is_named_too(self, zone: Zone, extract: Extract) -> None:
        from warehouse.advisory import EXTRACTION

        with zone.connection() as connection:
            connection.execute("set application_name = 'somebody else'")
            connection.execute("select pg_advisory_lock(%s)", [EXTRACTION])
            with pytest.raises(LockedError, match="somebody else"):
                extract()

    @pytest.mark.slow
    def test_runs_on_two_databases_do_not_meet(
        self, start: Start, tmdb: StandIn, zone: Zone, postgres: dict[str, str], environment: dict[str, str]
    ) -> None:
        other = Zone({**postgres, "PGDATABASE": zone.variables["PGDATABASE"] + "_b"})
        zone.execute(f"create database {other.variables['PGDATABASE']}")
        try:
            first = start()
            second = start(PGDATABASE=other.variables["PGDATABASE"])
            for process in (first, second):
                _, said = process.communicate(timeout=60)
                assert process.returncode == 0, said
        finally:
            zone.execute(f"drop database {other.variables['PGDATABASE']} with (force)")


class TestPostgresqlGoes:
    """Away, cut, full: waited for, and everything is there in the end."""

    @pytest.fixture
    def undisturbed(self, extract: Extract, tmdb: StandIn, zone: Zone) -> list[tuple[Any, ...]]:
        """What an undisturbed run lands; the landing zone is empty again."""
        tmdb.repeats = 0.0
        extract(pages=15)
        fingerprint = zone.fingerprint()
        zone.execute("drop schema raw cascade")
        tmdb.traffic.reset()
        return fingerprint

    @pytest.mark.slow
    def test_its_connection_cut_again_and_again(
        self, start: Start, tmdb: StandIn, zone: Zone, undisturbed: list[tuple[Any, ...]]
    ) -> None:
        process = start(TMDB_MAX_RPS="60")
        cuts = 0
        while process.poll() is None:
            if tmdb.traffic.count("/3/movie/"):
                cuts += len(
                    zone.rows(
                        "select pg_terminate_backend(pid) from pg_stat_activity"
                        " where application_name like %s and datname = current_database()",
                        f"tmdb-elt extractor pid={process.pid} %",
                    )
                )
            time.sleep(0.7)
        assert process.stderr is not None
        said = process.stderr.read()
        assert process.returncode == 0, said
        assert cuts >= 3 and "PostgreSQL is back" in said
        assert zone.fingerprint() == undisturbed
        assert len(movies_asked_for(tmdb)) == len(set(movies_asked_for(tmdb)))
        zone.assert_counts_are_true()
        assert zone.one("select count(*) from raw.extract_run") == 1

    @pytest.mark.parametrize(
        ("says", "code"),
        slow_but(
            1,
            [
                ("could not extend file: No space left on device", "53100"),
                # Citus, when a node is gone in mid-statement
                ("failure on connection marked as essential: worker-2:5432", "XX000"),
            ],
        ),
    )
    def test_a_disk_that_is_full_or_a_node_that_is_away_for_a_while(
        self,
        extract: Extract,
        tmdb: StandIn,
        zone: Zone,
        undisturbed: list[tuple[Any, ...]],
        says: str,
        code: str,
    ) -> None:
        extract(pages=1)
        zone.execute("truncate raw.tmdb_response; update raw.extract_run set status = 'failed'")
        zone.execute("create sequence refusals")
        zone.execute(
            "create function refuse() returns trigger language plpgsql as $$ begin"
            " if nextval('refusals') <= 3 then"
            f" raise exception '{says}' using errcode = '{code}';"
            " end if; return new; end $$;"
            " create trigger refuse before insert on raw.tmdb_response_202608 for each row"
            " execute function refuse()"
        )
        extract(pages=15)
        assert zone.one("select last_value from refusals") > 3
        assert zone.fingerprint() == undisturbed
        zone.assert_counts_are_true()

    @pytest.mark.slow
    def test_a_disk_that_stays_full_ends_the_run_with_what_to_do(
        self, extract: Extract, tmdb: StandIn, zone: Zone, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("extractor.landing.PATIENCE", 0.5)
        extract(pages=1)
        zone.execute(
            "create function refuse() returns trigger language plpgsql as $$ begin"
            " raise exception 'could not extend file: No space left on device' using errcode = '53100';"
            " end $$;"
            " create trigger refuse before insert on raw.tmdb_response_202608 for each row"
            " execute function refuse()"
        )
        with pytest.raises(LandingError, match=r"No space left on device.*run the same command"):
            extract(pages=15)
        run = zone.last_run()
        assert run["status"] == "failed" and "No space left" in run["error"]
        zone.execute("drop function refuse cascade")
        extract(pages=15)
        assert zone.last_run()["status"] == "finished" and len(zone.films()) > 280

    @pytest.fixture
    def server(self, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
        """A server of this test's own, which it may stop."""
        home = tmp_path_factory.mktemp("w")
        server = Server(home, durable=False)
        yield server
        server.stop()

    @pytest.fixture
    def own(
        self, server: Server, zone: Zone, environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
    ) -> Zone:
        """A landing zone on that server."""
        host = os.environ.pop("PGHOST", None)
        try:
            variables = warehouse.ensure(server.layout.home, durable=False)
        finally:
            if host is not None:
                os.environ["PGHOST"] = host
        environment.update(variables)
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        return Zone(variables)

    @pytest.mark.slow
    @pytest.mark.parametrize("how", ["fast", "immediate"])
    def test_it_is_stopped_and_started_under_a_run(
        self,
        start: Start,
        server: Server,
        own: Zone,
        tmdb: StandIn,
        extract: Extract,
        how: str,
    ) -> None:
        tmdb.repeats = 0.0
        process = start()
        wait_for(lambda: tmdb.traffic.count("/3/movie/") >= 100)
        stop(server, how)
        time.sleep(2)
        assert process.poll() is None
        server.start()
        _, said = process.communicate(timeout=60)
        assert process.returncode == 0, said
        assert "waiting up to 60 s" in said and "PostgreSQL is back" in said
        assert len(movies_asked_for(tmdb)) == len(set(movies_asked_for(tmdb)))
        own.assert_counts_are_true()
        disturbed = own.fingerprint()
        own.execute("drop schema raw cascade")
        extract(pages=15)
        assert own.fingerprint() == disturbed

    @pytest.mark.slow
    def test_away_for_too_long_ends_the_run_and_the_next_goes_on(
        self,
        server: Server,
        own: Zone,
        tmdb: StandIn,
        extract: Extract,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setattr("extractor.landing.PATIENCE", 1.0)
        tmdb.repeats = 0.0
        extract(pages=1)  # makes the schema
        films = set(tmdb.ids()[:300])

        def stop_it() -> None:
            wait_for(lambda: tmdb.traffic.count("/3/movie/") >= 100)
            stop(server, "fast")

        stopper = threading.Thread(target=stop_it)
        stopper.start()
        with pytest.raises(LandingError, match=r"could not be used for 1 s.*run the same command"):
            extract(pages=15, max_rps=40)
        stopper.join()
        server.start()
        before = landed(own)
        tmdb.traffic.reset()
        extract(pages=15)
        assert landed(own) == films
        assert before - set(films) == set() and len(movies_asked_for(tmdb)) <= 300
        statuses = own.rows("select status from raw.extract_run order by run_id")
        assert statuses == [("finished",), ("interrupted",), ("finished",)]

    def test_another_run_that_took_over_meanwhile_is_left_alone(
        self, extract: Extract, tmdb: StandIn, zone: Zone
    ) -> None:
        extract(pages=1)
        tmdb.latency = 0.05

        def take_over() -> None:
            wait_for(lambda: tmdb.traffic.count("/3/movie/") >= 60)
            zone.execute(
                "update raw.extract_run set status = 'interrupted', error = %s where status = 'running'",
                _DIED,
            )
            zone.rows(
                "select pg_terminate_backend(pid) from pg_stat_activity"
                " where application_name like 'tmdb-elt%%' and datname = current_database()"
            )

        thread = threading.Thread(target=take_over)
        thread.start()
        with pytest.raises(LandingError, match="another run took over"):
            extract(pages=15, max_rps=150)
        thread.join()
        assert zone.last_run()["status"] == "interrupted"


def stop(server: Server, how: str) -> None:
    """Stop it: `fast` in good order, `immediate` as in a crash, without writing what is in memory."""
    if how == "immediate":
        os.kill(int(server.layout.pid_file.read_text().split()[0]), signal.SIGQUIT)
        wait_for(lambda: not server.layout.socket.exists() or not server.layout.pid_file.exists())
    else:
        server.stop()
