"""`extractor load` and `dump`: history from files, and from one instance to another."""

import asyncio
import gzip
import itertools
import json
import os
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from common.errors import ConfigurationError
from demo.server import StandIn
from extractor import connection, landing
from extractor.buffer import BATCH_ROWS
from extractor.errors import InputError, LandingError, RunFailedError
from extractor.keeping import dump, load
from extractor.landing import Landing
from extractor.rows import Row
from tests.dbt_project.marts import everything
from tests.dbt_project.runner import Dbt
from tests.extractor.conftest import DAY, Extract, Program, Zone
from warehouse.advisory import EXTRACTION

NEXT = DAY + timedelta(days=1)
GONE = {"success": False, "status_code": 34, "status_message": "The resource could not be found."}
# the tests of the data are other tests' business
BUILD = ("build", "--exclude-resource-type", "unit_test", "--exclude-resource-type", "test")
# what a load must not touch where there is nothing new
ALL = "select * from raw.tmdb_response order by resource, snapshot_date, resource_id"


def loaded(*files: Path, day: date | None = None) -> Landing:
    """Load in this process."""
    return asyncio.run(load.land_files([str(file) for file in files], day, 10))


def dumped(file: Path, first: date | None = None, last: date | None = None) -> Path:
    """Dump in this process."""
    asyncio.run(dump.write(str(file), first, last))
    return file


def row(film: int = 1, day: date = DAY, **changed: Any) -> dict[str, Any]:
    """A film's row as `dump` writes it."""
    return {
        "resource": "movie",
        "resource_id": film,
        "snapshot_date": day.isoformat(),
        "http_status": 200,
        "payload": {"id": film, "title": f"Film {film}"},
    } | changed


def lines(path: Path, *rows: Any) -> Path:
    """A file of these rows; text stands as it is."""
    path.write_text("".join((r if isinstance(r, str) else json.dumps(r)) + "\n" for r in rows))
    return path


@pytest.fixture
def other(zone: Zone) -> Iterator[Zone]:
    """A second instance; enter it with `use`."""
    name = zone.variables["PGDATABASE"] + "_other"
    zone.execute(f"create database {name}")
    try:
        yield replace(zone, variables={**zone.variables, "PGDATABASE": name})
    finally:
        zone.execute(f"drop database {name} with (force)")


@pytest.mark.slow
def test_history_moves_to_another_instance_and_its_marts_are_the_same(
    zone: Zone,
    other: Zone,
    extract: Extract,
    tmdb: StandIn,
    monkeypatch: pytest.MonkeyPatch,
    project_root: Path,
    tmp_path: Path,
) -> None:
    tmdb.repeats = 0.0
    gone, odd = tmdb.ids()[3], tmdb.ids()[5]
    tmdb.override(
        odd, b'{"id": %d, "title": "a\\u0000b", "popularity": 7200.10, "big": 12345678901234567890123}' % odd
    )
    extract(pages=3)
    tmdb.today = NEXT
    tmdb.delete(gone, NEXT, listed=True)
    extract(pages=2)
    assert zone.films(NEXT, 404) == {gone}
    older = dumped(tmp_path / "older.jsonl", last=DAY)
    newer = dumped(tmp_path / "newer.jsonl.gz", first=NEXT)
    with Dbt(project_root / "dbt_project", zone.variables, tmp_path / "one") as dbt:
        dbt(*BUILD)
    original = everything(zone.rows)
    assert original["dim_movie_history"] and original["bridge_movie_cast"]

    monkeypatch.setenv("PGDATABASE", other.variables["PGDATABASE"])
    first = loaded(newer)
    with Dbt(project_root / "dbt_project", other.variables, tmp_path / "two") as dbt:
        # the older day comes late: these have taken the newer one
        dbt("run", "--select", "+fact_movie_daily")
        second = loaded(older)
        dbt(*BUILD)
    assert everything(other.rows) == original
    assert other.fingerprint() == zone.fingerprint()
    alteration = other.one("select alteration from raw.tmdb_response where resource_id = %s limit 1", odd)
    assert alteration == "removed 1 NUL"
    texts = "select payload::text from raw.tmdb_response order by resource, snapshot_date, resource_id"
    assert other.rows(texts) == zone.rows(texts)
    assert first.counts.requested + second.counts.requested == zone.one(
        "select count(*) from raw.tmdb_response"
    )
    run = other.last_run()
    assert (run["mode"], run["status"], run["snapshot_date"]) == ("load", "finished", None)
    assert run["parameters"]["files"] == [str(older)]
    other.assert_counts_are_true()

    before = other.rows(ALL)
    again = loaded(older, newer)
    assert other.rows(ALL) == before
    assert (again.counts.landed, again.counts.not_found, again.counts.kept) == (0, 0, len(before))


def test_films_as_tmdb_sends_them_land_under_their_date(program: Program, zone: Zone, tmp_path: Path) -> None:
    films = [
        '\ufeff{"id": 5, "title": "Four Rooms", "popularity": 7.20}',
        "",
        '{"id": 6, "title": "nul \\u0000 and half \\ud83d"}\r',
        '{"id": 5, "title": "Four Rooms", "popularity": 7.30}',
    ]
    packed = tmp_path / "films.jsonl.gz"
    packed.write_bytes(gzip.compress("\n".join(films).encode()))
    done = program("load", str(packed), "--date", "2019-10-31", TMDB_TOKEN=None)
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
    assert "3 read: 3 landed" in done.stderr
    assert zone.rows(
        "select resource, resource_id, snapshot_date::text, http_status, payload, alteration, selected_by"
        " from raw.tmdb_response order by 2"
    ) == [
        # the last line of a film stands
        ("movie", 5, "2019-10-31", 200, {"id": 5, "title": "Four Rooms", "popularity": 7.3}, None, "load"),
        (
            "movie",
            6,
            "2019-10-31",
            200,
            {"id": 6, "title": "nul  and half "},
            "removed 1 NUL and 1 lone surrogate",
            "load",
        ),
    ]
    piped = subprocess.run(
        [sys.executable, "-m", "extractor", "load", "-"],
        env={**os.environ, **zone.variables, "TMDB_LOAD_DATE": "2019-11-01"},
        input=packed.read_bytes(),
        capture_output=True,
        check=False,
    )
    assert piped.returncode == 0, piped.stderr
    assert zone.films(date(2019, 11, 1)) == {5, 6}


def test_a_row_that_differs_replaces_the_landed_one_but_never_a_full_payload_by_one_without_credits(
    zone: Zone, tmp_path: Path
) -> None:
    full = {"id": 1, "credits": {"cast": []}}
    file = lines(
        tmp_path / "first",
        row(1, payload=full, selected_by="popular"),
        row(2, selected_by="tracked"),
        row(3),
        row(4, payload=full | {"id": 4}),
    )
    loaded(file)
    file = lines(
        tmp_path / "second",
        row(1, payload={"id": 1, "popularity": 2}),
        row(2, payload={"id": 2, "popularity": 2}),
        row(3, http_status=404, payload=GONE),
        # credits make way for newer credits, and for the news that the film is gone
        row(4, payload=full | {"id": 4, "popularity": 2}),
    )
    assert loaded(file).counts.kept == 1
    after = "select payload, http_status, selected_by, run_id from raw.tmdb_response order by resource_id"
    assert zone.rows(after) == [
        (full, 200, "popular", 1),
        # why it was asked for is not known to the second file
        ({"id": 2, "popularity": 2}, 200, "tracked", 2),
        (GONE, 404, "load", 2),
        (full | {"id": 4, "popularity": 2}, 200, "load", 2),
    ]
    loaded(
        lines(
            tmp_path / "third",
            row(4, http_status=404, payload=GONE),
            row(2, payload={"id": 2, "popularity": 2}, selected_by="popular"),
        )
    )
    assert zone.rows(after)[1:] == [
        ({"id": 2, "popularity": 2}, 200, "popular", 3),
        (GONE, 404, "load", 2),
        (GONE, 404, "load", 3),
    ]


@pytest.mark.parametrize("bad", [None, {"success": False, "status_code": 34}])
def test_a_block_that_is_null_or_an_error_is_no_block(zone: Zone, tmp_path: Path, bad: Any) -> None:
    full, poor = {"id": 1, "credits": {"cast": [], "crew": []}}, {"id": 1, "title": "é", "credits": bad}
    loaded(lines(tmp_path / "full", row(payload=full)))
    assert loaded(lines(tmp_path / "rows", row(payload=poor))).counts.kept == 1
    assert loaded(lines(tmp_path / "films", poor), day=DAY).counts.kept == 1
    loaded(lines(tmp_path / "films", poor), day=NEXT)
    assert zone.rows("select payload, alteration from raw.tmdb_response order by snapshot_date") == [
        (full, None),
        ({"id": 1, "title": "é"}, "left out credits, which came as no such block"),
    ]


@pytest.mark.parametrize(
    ("bad", "said"),
    [
        ("{", "not JSON"),
        ('{"a": "\xff"', "not JSON"),
        ("[1]", "a JSON list, not an object"),
        ('{"id": 2}', r"it has no resource, .*\(films as TMDB sends them need their date: --date"),
        (row(2, resource="person"), "resource 'person' is none of movie, genre_list"),
        (row(2, resource=["movie"]), r"resource \"\['movie'\]\" is none of"),
        (row(2, resource_id="2"), "resource_id '2' is no whole number"),
        (row(0), "movie 0 can't be"),
        (row(2, payload={"id": 1 << 63}, resource_id=1 << 63), f"movie {1 << 63} can't be"),
        (row(2, resource="genre_list", payload={"genres": [{"id": 1}]}), "genre_list 2 can't be"),
        (row(2, payload={"id": 3}), "movie 2: asked for film 2, got id '3'"),
        (row(2, payload=GONE), "movie 2: status 200 with TMDB's error 34"),
        (row(0, resource="genre_list", payload={"genres": []}), "genre_list 0: not a list"),
        (row(2, http_status=404), "not TMDB's answer for a film that is gone"),
        (row(2, http_status=500), "http_status '500' is neither 200 nor a film's 404"),
        (row(2, snapshot_date="2026-02-30"), "snapshot_date '2026-02-30' must be a date"),
        (row(2, snapshot_date=20260220), "snapshot_date '20260220' must be a date"),
        (row(2, selected_by=1), "selected_by '1' is no text"),
        (row(2, alteration={}), "alteration '{}' is no text"),
        (row(2, payload={"id": 2, "a": json.loads("[" * 400 + "]" * 400)}), "nested too deeply"),
    ],
)
def test_a_bad_line_is_named_what_came_before_is_landed_and_the_mended_file_goes_on(
    zone: Zone, tmp_path: Path, bad: Any, said: str
) -> None:
    good = lines(tmp_path / "good", row(9))
    file = lines(tmp_path / "file", row(1), "", bad, row(3))
    with pytest.raises(InputError, match=rf"file, line 3: .*{said}.*load the file again") as caught:
        loaded(good, file)
    assert caught.value.exit_code == 2 and "\n" not in str(caught.value)
    assert zone.films() == {1, 9}
    run = zone.last_run()
    assert run["status"] == "failed" and run["error"] == str(caught.value)
    zone.assert_counts_are_true()
    lines(file, row(1), "", row(2), row(3))
    mended = loaded(good, file)
    assert (mended.counts.landed, mended.counts.kept) == (2, 2)
    assert zone.films() == {1, 2, 3, 9}


@pytest.mark.parametrize(
    ("bad", "said"),
    [
        ('{"title": "x"}', "not a film as TMDB sends it, with its `id`"),
        ('{"id": "5"}', "not a film"),
        ('{"id": true}', "not a film"),
        ('{"id": -5}', "movie -5 can't be"),
        (row(5), "is loaded without a date"),
    ],
)
def test_with_a_date_a_line_must_be_a_film(zone: Zone, tmp_path: Path, bad: Any, said: str) -> None:
    with pytest.raises(InputError, match=f"line 1: .*{said}"):
        loaded(lines(tmp_path / "file", bad), day=DAY)


def test_files_that_are_none(
    program: Program, zone: Zone, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    done = program("load", str(tmp_path / "it is\nmissing"))
    assert done.returncode == 2 and done.stderr.endswith("it is missing: No such file or directory\n")
    with pytest.raises(InputError, match="Is a directory"):
        loaded(tmp_path)
    with pytest.raises(InputError, match="nothing to load"):
        loaded(lines(tmp_path / "empty"))
    odd = lines(Path(os.fsdecode(bytes(tmp_path / "\n") + b"\xff")), "{")
    with pytest.raises(InputError, match="not JSON"), caplog.at_level("INFO"):
        loaded(odd)
    assert b"loading" in caplog.text.encode()  # which a surrogate could not be
    assert ", line 1: not JSON" in zone.last_run()["error"] and "\n" not in zone.last_run()["error"]
    cut = tmp_path / "cut.gz"
    cut.write_bytes(
        gzip.compress("".join(json.dumps(row(n)) + "\n" for n in range(1, 2000)).encode())[:-1000]
    )
    with pytest.raises(InputError, match=r"cut.gz can't be read beyond line \d+ .*is it whole"):
        loaded(cut)
    landed_whole = zone.films()
    assert landed_whole == set(range(1, len(landed_whole) + 1)) and len(landed_whole) > 500
    assert program("load", "x", "--date", "yesterday").returncode == 2


def test_a_line_without_an_end_is_no_reason_to_run_out_of_memory(
    zone: Zone, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(load, "_MAX_LINE", 1000)
    with pytest.raises(InputError, match="line 2: longer than 1,000 bytes"):
        loaded(lines(tmp_path / "file", row(1), "x" * 5000))


def test_batches_are_taken_from_a_file_without_an_end() -> None:
    endless = (Row("movie", n, 200, b"{}", "load", None, DAY) for n in itertools.count(1))
    batches = load._batches(endless)
    assert [len(next(batches)) for _ in range(3)] == [BATCH_ROWS] * 3
    # the same film twice is in two
    assert [
        len(batch) for batch in load._batches(iter([Row("movie", 1, 200, b"{}", "load", None, DAY)] * 3))
    ] == [1] * 3


def test_what_postgresql_refuses_is_recorded_under_its_own_date(zone: Zone, tmp_path: Path) -> None:
    # a number of JSON that PostgreSQL's numeric can't hold
    text = json.dumps(row(7)).replace('"Film 7"', "1e-20000")
    bad = [text, text.replace(DAY.isoformat(), NEXT.isoformat())]
    with pytest.raises(RunFailedError, match="2 of 12 could not be landed, more than 1%"):
        loaded(lines(tmp_path / "file", *(row(n) for n in range(10, 20)), *bad))
    assert zone.rows("select resource_id, snapshot_date, reason from raw.extract_failure order by 2") == [
        (7, DAY, "refused_by_postgresql"),
        (7, NEXT, "refused_by_postgresql"),
    ]
    assert zone.last_run()["status"] == "failed"
    zone.assert_counts_are_true()
    good = lines(tmp_path / "file", *(row(n, DAY - timedelta(days=n)) for n in range(1, 400)), *bad)
    assert loaded(good).counts.failed == 2
    assert zone.last_run()["status"] == "finished"


def test_a_load_is_no_run_to_a_monitor_nor_to_the_next_run(
    program: Program, zone: Zone, extract: Extract, tmp_path: Path
) -> None:
    old = date(2019, 10, 31)
    extract(pages=1)
    zone.execute("update raw.extract_run set finished_at = now() - interval '40 hours', status = 'failed'")
    loaded(lines(tmp_path / "file", row(7, old)))
    assert program("status", "--max-age", "36h").returncode == 1
    read = json.loads(program("status", "--json").stdout)
    assert read["last_snapshot_date"] is None and read["runs"][0]["snapshot_date"] is None
    assert {"snapshot_date": str(old), "resource": "movie", "rows": 1} in read["dates"]
    shown = program("status").stdout
    assert "load" in shown and str(old) in shown

    async def chain() -> tuple[int, ...]:
        async with connection.opened() as reader:
            return await landing.unfinished(reader, DAY)

    assert asyncio.run(chain()) == (1,)


def test_only_one_writes_at_a_time(program: Program, zone: Zone, tmp_path: Path) -> None:
    file = lines(tmp_path / "file", row(1))
    loaded(file)
    with zone.connection() as connection:
        connection.execute("select pg_advisory_lock(%s)", [EXTRACTION])
        done = program("load", str(file))
    assert done.returncode == 1 and "another extractor is at work" in done.stderr


@pytest.mark.slow
def test_a_signal_ends_a_load_that_waits_for_a_pipe(
    environment: dict[str, str], zone: Zone, project_root: Path
) -> None:
    loading = subprocess.Popen(
        [sys.executable, "-m", "extractor", "load", "-"],
        cwd=project_root,
        env=environment,
        stdin=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert loading.stdin and loading.stderr
    # one batch is landed as soon as it is full
    loading.stdin.write(b"".join(json.dumps(row(n)).encode() + b"\n" for n in range(1, BATCH_ROWS + 100)))
    loading.stdin.flush()
    while not (zone.one("select to_regclass('raw.extract_run') is not null") and zone.films()):
        assert loading.poll() is None
    loading.send_signal(signal.SIGTERM)
    # the pipe is still open, and says nothing
    assert loading.wait(60) == 143
    assert b"SIGTERM: landing what is in hand" in loading.stderr.read()
    assert zone.films() == set(range(1, BATCH_ROWS + 1))
    assert zone.last_run()["status"] == "interrupted"
    zone.assert_counts_are_true()
    loading.stdin.close()
    loading.stderr.close()


def test_a_dump_is_of_the_dates_asked_for_in_order_and_private(zone: Zone, tmp_path: Path) -> None:
    days = [DAY, date(2026, 9, 1), date(2026, 9, 2)]
    loaded(
        lines(
            tmp_path / "file", *(row(film, day, selected_by="export") for day in days for film in (2, 11, 1))
        )
    )
    file = dumped(tmp_path / "out.jsonl", first=days[1], last=days[1])
    assert [json.loads(line) for line in file.read_text().splitlines()] == [
        row(film, days[1], selected_by="export") for film in (1, 2, 11)
    ]
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    with pytest.raises(ConfigurationError, match=r"out.jsonl exists"):
        dumped(file)
    with pytest.raises(LandingError, match="nothing to dump"):
        dumped(tmp_path / "none", first=date(2027, 1, 1))
    with pytest.raises(ConfigurationError, match=r"there is no folder .*/no: make it, or name another"):
        dumped(tmp_path / "no" / "where")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "out.jsonl"]


def test_a_dump_goes_to_standard_output_and_minds_a_closed_pipe(
    program: Program, environment: dict[str, str], zone: Zone, tmp_path: Path, project_root: Path
) -> None:
    assert program("dump").returncode == 1
    loaded(lines(tmp_path / "file", *(row(n, payload={"id": n, "x": "y" * 1000}) for n in range(1, 1000))))
    done = program("dump", TMDB_DUMP_FROM=str(DAY), TMDB_DUMP_TO=str(DAY))
    assert done.returncode == 0 and len(done.stdout.splitlines()) == 999
    dumping = subprocess.Popen(
        [sys.executable, "-m", "extractor", "dump"],
        cwd=project_root,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert dumping.stdout and dumping.stderr
    dumping.stdout.readline()
    dumping.stdout.close()
    said = dumping.stderr.read().decode()
    assert dumping.wait(60) == 1
    assert "standard output was closed before the end" in said and "Traceback" not in said
    assert "Exception ignored" not in said
    dumping.stderr.close()
