"""The landing zone's writing alone, against the fastest that PostgreSQL can take the same JSON: a bare COPY
into a table without keys and indexes.
"""

import asyncio
import datetime as dt
import os
import struct
import time
from collections.abc import Callable, Sequence
from functools import partial
from statistics import median
from typing import Final
from unittest.mock import patch

import psycopg
import uvloop
from psycopg import sql
from rich.console import Console
from rich.table import Table

import warehouse
from benchmarks.database import BenchWarehouse
from demo.answers import ApiError
from demo.api import Api
from demo.catalogue import Catalogue
from demo.edits import Edited
from extractor import landing
from extractor.answer import repair
from extractor.buffer import BATCH_ROWS
from extractor.rows import Row

DAY: Final = dt.date(2026, 1, 1)
GOAL: Final = 0.5
OURS: Final = "landing zone"
ALIKE: Final = "bare COPY, compressed alike"
DEFAULT: Final = "bare COPY, server's default"


def measure(console: Console, films: int, repeats: int) -> None:
    """Print the rates, for whole payloads (a film's first) and for those without credits (every other)."""
    table = Table("", title=f"{films:,} films into PostgreSQL, median of {repeats} runs")
    for heading in ("s", "films/s", "MB/s", "landing / this"):
        table.add_column(heading, justify="right")
    ratios = []
    for words, blocks in (("with credits and keywords", "credits,keywords"), ("without", "")):
        rows = payloads(films, blocks)
        size = sum(len(row.body) for row in rows)
        with BenchWarehouse("bench_landing") as database:
            contenders: dict[str, Callable[[], float]] = {
                OURS: partial(land, database, rows),
                ALIKE: partial(bare_copy, database.connection, rows, alike=True),
                DEFAULT: partial(bare_copy, database.connection, rows, alike=False),
            }
            # in turns, so that what changes with time changes for all
            runs = [{name: contender() for name, contender in contenders.items()} for _ in range(repeats)]
        seconds = {name: median(run[name] for run in runs) for name in contenders}
        table.add_row(f"[bold]{words} ({size / 1e6:,.0f} MB)[/bold]")
        ours = seconds[OURS]
        for name, took in seconds.items():
            table.add_row(
                f"  {name}",
                f"{took:.2f}",
                f"{films / took:,.0f}",
                f"{size / took / 1e6:,.0f}",
                f"{took / ours:.2f}",
            )
        table.add_section()
        ratios.append(seconds[ALIKE] / ours)
    console.print(table)
    console.print(
        f"landing runs at {ratios[0]:.0%} of a bare COPY, without credits at {ratios[1]:.0%}"
        f" (goal: at least {GOAL:.0%})"
    )


def payloads(films: int, blocks: str) -> list[Row]:
    """The answers for so many films, with the blocks asked for, as the extractor would land them."""
    catalogue = Catalogue("bench", films * 5 // 4 + 200)
    api = Api(Edited(catalogue), "")
    rows: list[Row] = []
    for listed in catalogue.export(DAY.toordinal()):
        if len(rows) == films:
            break
        try:
            body, alteration = repair(api.movie(listed["id"], blocks, DAY.toordinal()))
        except ApiError:  # a film that is listed, and gone
            continue
        rows.append(Row("movie", listed["id"], 200, body, "export", alteration))
    return rows


def land(database: BenchWarehouse, rows: Sequence[Row]) -> float:
    """Seconds that the landing zone takes for `rows`, batch by batch with its ledger; it is empty before."""
    database.connection.execute("drop schema if exists raw cascade; checkpoint")

    async def work() -> float:
        async with landing.writer() as zone:
            await zone.begin("export", {}, DAY)
            began = time.perf_counter()
            for start in range(0, len(rows), BATCH_ROWS):
                await zone.write(rows[start : start + BATCH_ROWS])
            await zone.finish("finished")
            return time.perf_counter() - began

    # the landing zone finds its server in the environment
    with (
        patch.dict(os.environ, warehouse.overlay(database.variables), clear=True),
        asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner,
    ):
        return runner.run(work())


def bare_copy(connection: psycopg.Connection, rows: Sequence[Row], *, alike: bool) -> float:
    """Seconds of one COPY of the same JSON; `alike`: compressed as the landing zone's payloads are."""
    connection.execute("drop table if exists bench_copy; create table bench_copy (payload jsonb)")
    if alike:
        found = connection.execute(
            "select case attcompression when 'l' then 'lz4' else 'pglz' end from pg_attribute"
            " where attrelid = 'raw.tmdb_response_202601'::regclass and attname = 'payload'"
        ).fetchone()
        method = sql.SQL(found[0] if found else "pglz")
        connection.execute(
            sql.SQL("alter table bench_copy alter column payload set compression {}").format(method)
        )
    connection.execute("checkpoint")
    began = time.perf_counter()
    with connection.cursor().copy("copy bench_copy (payload) from stdin with (format binary)") as copy:
        copy.write(b"PGCOPY\n\xff\r\n\x00" + struct.pack("!ii", 0, 0))
        for start in range(0, len(rows), BATCH_ROWS):
            copy.write(
                b"".join(
                    struct.pack("!hi", 1, len(row.body) + 1) + b"\x01" + row.body
                    for row in rows[start : start + BATCH_ROWS]
                )
            )
        copy.write(struct.pack("!h", -1))
    return time.perf_counter() - began
