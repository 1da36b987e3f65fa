"""What comes out is what is in the database, value by value, as people's own tools read it."""

import csv
import datetime as dt
import json
import tempfile
from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import hypothesis
import pandas
import polars
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import strategies as st

from export import cli
from export.files import FORMATS
from tests.databases import Databases
from tests.export.conftest import Source, node, write_manifest

Rows = list[tuple[Any, ...]]
Reader = Callable[[Path], Rows]


def with_arrow(path: Path) -> Rows:
    return [tuple(row.values()) for row in pq.read_table(path).to_pylist()]


def with_pandas(path: Path) -> Rows:
    """With Arrow's types: pandas' own have neither decimals nor a NULL in whole numbers."""
    frame = pandas.read_parquet(path, dtype_backend="pyarrow")
    table = pa.Table.from_pandas(frame, preserve_index=False)
    return [tuple(row.values()) for row in table.to_pylist()]


def with_polars(path: Path) -> Rows:
    return polars.read_parquet(path).rows()


def with_duckdb(path: Path) -> Rows:
    connection = duckdb.connect()
    connection.execute("set timezone = 'UTC'")
    return connection.execute("select * from read_parquet(?)", [str(path)]).fetchall()


READERS = {"pyarrow": with_arrow, "pandas": with_pandas, "polars": with_polars, "duckdb": with_duckdb}


def from_database(source: Source, relation: str, columns: Sequence[str]) -> Rows:
    with source.connect() as connection:
        connection.execute("set timezone = 'UTC'")
        return connection.execute(f"select {', '.join(columns)} from {relation}".encode()).fetchall()


def ordered(rows: Rows) -> Rows:
    return sorted((tuple(map(plain, row)) for row in rows), key=repr)


def plain(value: Any) -> Any:
    """One form of what readers give in several: UTC has many objects."""
    if isinstance(value, dt.datetime):
        return value.astimezone(dt.UTC) if value.tzinfo else value
    if isinstance(value, list):
        return [plain(item) for item in value]
    return value


EVERYWHERE = (
    *("thing_id", "name", "small", "whole", "price", "rating", "is_odd", "double", "at", "tags", "counts"),
    *("huge", "tiny", "rounded", '"Odd; ""x"" name"', "day", '"local"'),
)


@pytest.mark.parametrize("name", READERS)
def test_every_reader_finds_what_the_database_has(name: str, things: Source, tmp_path: Path) -> None:
    things.written(tmp_path / "out")
    read = READERS[name](tmp_path / "out" / "dim_thing.parquet")
    with things.connect() as connection:
        columns = [c.name for c in connection.execute("select * from marts.dim_thing").description or ()]
    chosen = [columns.index(column.strip('"').replace('""', '"')) for column in EVERYWHERE]
    assert ordered([tuple(row[index] for index in chosen) for row in read]) == ordered(
        from_database(things, "marts.dim_thing", EVERYWHERE)
    )


def test_types_are_arrows_own_and_exact(things: Source, tmp_path: Path) -> None:
    things.written(tmp_path / "out")
    table = pq.read_table(tmp_path / "out" / "dim_thing.parquet")
    types = {field.name: field.type for field in table.schema}
    assert types["price"] == pa.decimal128(14, 6) and types["rating"] == pa.decimal128(5, 3)
    # wider than most readers' numbers
    assert types["huge"] == pa.decimal128(38, 10) and types["wide"] == pa.string()
    assert types["tiny"] == pa.decimal128(5, 5) and types["rounded"] == pa.decimal128(5, 0)
    assert types["day"] == pa.date32()
    assert types["at"] == pa.timestamp("us", "UTC") and types["local"] == pa.timestamp("us")
    assert types["thing_id"] == pa.int64() and types["small"] == pa.int16() and types["whole"] == pa.int32()
    assert types["tags"] == pa.list_(pa.string()) and types["prices"] == pa.list_(pa.string())
    assert types["hash"] == types["extra"] == types["name"] == pa.string()
    (row,) = (row for row in table.to_pylist() if row["thing_id"] == 2**63 - 1)
    assert row["wide"] == "1234567890123456789012345678901234567890123456789012345678.90"
    assert row["prices"] == ["1.50", None]
    assert (row["hash"], json.loads(row["extra"])) == (
        "6f0f1b3e-8a0c-4c8e-9a43-2f7f3f0f4a11",
        {"a": [1, None, "ä"]},
    )
    assert row["at"] == dt.datetime(2026, 3, 28, 23, 30, 0, 123456, dt.UTC)


def test_csv_has_the_same_values(things: Source, tmp_path: Path) -> None:
    things.written(tmp_path / "out", "--format", "csv")
    with (tmp_path / "out" / "dim_thing.csv").open(newline="", encoding="utf-8") as file:
        rows = {row["thing_id"]: row for row in csv.DictReader(file)}
    odd = rows[str(2**63 - 1)]
    known = "marts.dim_thing where whole is not null"
    ((name, price, huge),) = from_database(things, known, ("name", "price", "huge"))
    assert (odd["name"], Decimal(odd["price"]), Decimal(odd["huge"])) == (name, price, huge)
    assert odd["at"] == "2026-03-28 23:30:00.123456Z"
    assert (odd["day"], odd["is_odd"]) == ("0001-01-01", "true")
    assert json.loads(odd["tags"]) == ["a,b".replace(",", ',"'), None, ""]
    # NULL is nothing, an empty text is "": who must know reads the quotes
    lines = (tmp_path / "out" / "vw_thing.csv").read_text().splitlines()
    assert '2,"",2' in lines and "-1,,1" in lines


TEXT = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]))
ROW = st.tuples(
    st.none() | st.integers(-(2**63), 2**63 - 1),
    st.none() | st.decimals(-99999999, 99999999, places=6),
    st.none() | st.decimals(-99, 99, places=3),
    st.none() | TEXT,
    st.none() | st.dates(),
    st.none() | st.datetimes(timezones=st.just(dt.UTC)),
    st.none() | st.booleans(),
    st.none() | st.lists(st.none() | TEXT),
)


@pytest.fixture(scope="module")
def drawn(databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Source]:
    """A table for rows at random."""
    manifest = tmp_path_factory.mktemp("drawn") / "manifest.json"
    manifest.write_text(json.dumps({"nodes": {"model.t": node("marts", "t", {}, [])}}))
    with databases.new() as pg, pytest.MonkeyPatch.context() as patch:
        for name, value in pg.items():
            patch.setenv(name, value)
        source = Source(pg, manifest)
        with source.connect() as connection:
            connection.execute(
                "create schema marts; create table marts.t (a bigint, b numeric(14, 6), c numeric(5, 3),"
                " d text, e date, f timestamptz, g boolean, h text[])"
            )
        yield source


@hypothesis.given(rows=st.lists(ROW, max_size=30))
@hypothesis.settings(max_examples=hypothesis.settings().max_examples // 4)
def test_whatever_is_in_a_table_comes_out(rows: Rows, drawn: Source) -> None:
    """Rows at random: through PostgreSQL, the driver, Parquet and back."""
    with drawn.connect() as connection, connection.cursor() as cursor:
        cursor.execute("truncate marts.t")
        cursor.executemany("insert into marts.t values (%s, %s, %s, %s, %s, %s, %s, %s::text[])", rows)
    with tempfile.TemporaryDirectory() as folder:
        _, (written,) = cli.run(FORMATS["parquet"], Path(folder, "out"), [], drawn.manifest)
        read = with_arrow(Path(folder, "out", "t.parquet"))
    assert written.rows == len(rows)
    assert ordered(read) == ordered(from_database(drawn, "marts.t", ("*",))) == ordered(rows)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("update marts.dim_thing set day = 'infinity' where thing_id = 2", "dim_thing.day holds infinity"),
        (
            "update marts.dim_thing set at = '-infinity' where thing_id = 2",
            "dim_thing.at holds -infinity, which",
        ),
        (
            "update marts.dim_thing set day = '0044-03-15 BC' where thing_id = 2",
            "dim_thing.day holds 0044-03-15 BC",
        ),
        ("update marts.dim_thing set price = 'NaN' where thing_id = 2", "dim_thing.price holds NaN, which"),
        (
            "update marts.dim_thing set tags = '{{a},{b}}' where thing_id = 2",
            "dim_thing could not be written: ",
        ),
    ],
)
def test_a_value_that_no_file_holds_is_named(change: str, said: str, things: Source, tmp_path: Path) -> None:
    with things.connect() as connection:
        connection.execute(change.encode())
    done = things.run(tmp_path / "out")
    assert (done.returncode, said in done.stderr, done.stderr.count("\n")) == (1, True, 1), done.stderr
    assert not (tmp_path / "out").exists()


def test_a_numeric_without_precision_is_named(things: Source, tmp_path: Path) -> None:
    with things.connect() as connection:
        connection.execute("create view analytics.vw_mean as select avg(price) as mean from marts.dim_thing")
    write_manifest(things.manifest, node("analytics", "vw_mean", {}, []))
    done = things.run(tmp_path / "out")
    assert done.returncode == 2
    assert "vw_mean.mean is numeric without precision" in done.stderr
