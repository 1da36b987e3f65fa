"""One moment of the database, all of it or nothing, and one clear line where that can't be."""

import re
import signal
import time
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from tests.export.conftest import Source, node, write_manifest
from tests.left_out import slow_but


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()} if folder.exists() else set()


ALL = {"datapackage.json", "dim_thing.parquet", "fact_thing.parquet", "vw_thing.parquet"}


def slow_view(source: Source, seconds: float) -> None:
    """A view that takes so long, and comes last: what is written before it is there already."""
    with source.connect() as connection:
        connection.execute(
            f"create view analytics.vw_slow as select 1 as one from pg_sleep({seconds})".encode()
        )
    write_manifest(source.manifest, node("analytics", "vw_slow", {}, []))


def at_work(source: Source, to: Path) -> None:
    """Wait until the slow view is being read."""
    deadline = time.monotonic() + 120
    with source.connect() as connection:
        while time.monotonic() < deadline:
            row = connection.execute(
                "select count(*) from pg_stat_activity where datname = current_database()"
                " and query like '%%vw_slow%%' and wait_event = 'PgSleep'"
            ).fetchone()
            if row and row[0]:
                return
            time.sleep(0.1)
    raise AssertionError(f"nothing reads the slow view for {to}")


def test_a_second_export_takes_the_place_of_the_first(things: Source, tmp_path: Path) -> None:
    out = tmp_path / "out"
    first = things.written(out)
    assert names(out) == ALL
    with things.connect() as connection:
        connection.execute("insert into marts.fact_thing values ('2026-12-31', 2, 7)")
    second = things.written(out, "--only", "fact_* vw_thing")
    # what is no longer asked for goes: the folder is one export
    assert names(out) == ALL - {"dim_thing.parquet"}
    counts = [
        {each["name"]: each["rowCount"] for each in content["resources"]} for content in (first, second)
    ]
    assert counts == [{"dim_thing": 3, "fact_thing": 100, "vw_thing": 3}, {"fact_thing": 101, "vw_thing": 3}]
    # a key to what is not there would be broken
    assert "foreignKeys" not in second["resources"][0]["schema"]
    assert names(tmp_path) == {"out", "manifest.json"}


def test_all_files_are_of_one_moment(things: Source, tmp_path: Path) -> None:
    slow_view(things, 3)
    running = things.start(tmp_path / "out")
    at_work(things, tmp_path)
    with things.connect() as connection:
        connection.execute("insert into marts.dim_thing (thing_id) values (3)")
        connection.execute("insert into marts.fact_thing values ('2026-12-31', 3, 7)")
    out, err = running.communicate(timeout=120)
    assert running.returncode == 0, out + err
    rows = {
        name: pq.read_table(tmp_path / "out" / f"{name}.parquet").num_rows
        for name in ("dim_thing", "vw_thing")
    }
    assert rows["dim_thing"] == rows["vw_thing"] == 3


@pytest.mark.parametrize("number", slow_but(1, [signal.SIGTERM, signal.SIGINT, signal.SIGKILL]))
def test_what_was_there_stays_when_it_is_ended(
    number: signal.Signals, things: Source, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    things.written(out)
    before = {path.name: path.read_bytes() for path in out.iterdir()}
    slow_view(things, 60)
    running = things.start(out)
    at_work(things, out)
    running.send_signal(number)
    _, err = running.communicate(timeout=60)
    assert running.returncode == {signal.SIGTERM: 143, signal.SIGINT: 130, signal.SIGKILL: -9}[number]
    assert "Traceback" not in err
    assert {path.name: path.read_bytes() for path in out.iterdir()} == before
    left = names(tmp_path) - {"out", "manifest.json"}
    assert len(left) == (number == signal.SIGKILL)
    write_manifest(things.manifest)
    things.written(out)
    # the next one removes what a killed one left
    assert names(tmp_path) == {"out", "manifest.json"}


def test_what_was_there_stays_when_it_fails(things: Source, tmp_path: Path) -> None:
    out = tmp_path / "out"
    things.written(out)
    before = {path.name: path.read_bytes() for path in out.iterdir()}
    with things.connect() as connection:
        connection.execute(
            "create view analytics.vw_broken as select 1 / (thing_id - 2) as x from marts.dim_thing"
        )
        for number in range(10):
            view = f"create view analytics.vw_slow_{number} as select pg_sleep(60)::text"
            connection.execute(view.encode())
    # when it fails, some are being read and others wait for their turn
    later = [node("analytics", f"vw_slow_{number}", {}, []) for number in range(10)]
    write_manifest(things.manifest, node("analytics", "vw_broken", {}, []), *later)
    done = things.run(out)
    assert done.returncode == 1
    assert done.stderr == "make parquet: vw_broken could not be read: division by zero\n"
    assert {path.name: path.read_bytes() for path in out.iterdir()} == before
    assert names(tmp_path) == {"out", "manifest.json"}


def test_a_folder_of_somebody_elses_is_left_alone(things: Source, tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    assert things.run(out).returncode == 0  # an empty one is welcome
    (out / "thesis.docx").write_text("years of work")
    done = things.run(out)
    assert done.returncode == 2
    assert "holds what no export wrote (thesis.docx): name a new folder, or an empty one" in done.stderr
    assert names(out) == ALL | {"thesis.docx"}
    file = tmp_path / "file"
    file.write_text("x")
    assert "is a file: name a folder" in things.run(file).stderr
    assert re.search("can't be written: (Not a directory|File exists)", things.run(file / "out").stderr)


def test_what_is_missing_or_wrong_is_one_line(things: Source, tmp_path: Path) -> None:
    out = tmp_path / "out"

    def said(*options: str, **changed: str) -> str:
        done = things.run(out, *options, **changed)
        assert (done.returncode, done.stderr.count("\n")) == (2, 1), done.stderr
        return done.stderr

    assert "--only dim_x names no mart or view. There are: dim_thing, fact_thing" in said("--only", "dim_x")
    write_manifest(things.manifest, node("marts", "dim_later", {}, ["id"]))
    assert "lacks dim_later: build the tables with `make dbt`" in said()
    things.manifest.write_text("{}")
    assert "is no manifest of dbt's" in said()
    things.manifest.unlink()
    assert "dbt's manifest can't be read" in said()
    write_manifest(things.manifest)
    assert "nowhere" in said(PGDATABASE="nowhere")
    with things.connect() as connection:
        connection.execute("drop schema marts, analytics cascade")
    assert "has no tables yet. Build them with `make elt`" in said()
    assert not out.exists()


def test_a_role_that_only_reads_suffices_within_its_limits(things: Source, tmp_path: Path) -> None:
    role = f"reader_{things.pg['PGDATABASE']}"
    slow_view(things, 2)
    with things.connect() as owner:
        owner.execute(
            f"create role {role} login password 'x'; alter role {role} set statement_timeout = '1s';"
            f"alter role {role} set default_transaction_read_only = on;"
            f"grant usage on schema marts, analytics to {role};"
            f"grant select on all tables in schema analytics to {role}".encode()
        )
        try:
            done = things.run(tmp_path / "out", PGUSER=role, PGPASSWORD="x")
            assert done.returncode == 2
            assert f"the role {role} may not read dim_thing, fact_thing in" in done.stderr
            owner.execute(f"grant select on all tables in schema marts to {role}".encode())
            things.written(tmp_path / "out", PGUSER=role, PGPASSWORD="x")
        finally:
            owner.execute(f"drop owned by {role}; drop role {role}".encode())
