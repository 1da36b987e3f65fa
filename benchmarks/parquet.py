"""The marts and views as Parquet files, against psql's COPY of the same to CSV files."""

import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import median
from typing import Final

from psycopg import sql
from rich.console import Console
from rich.table import Table

from benchmarks import process
from benchmarks.database import PROJECT, BenchWarehouse
from benchmarks.history import History
from benchmarks.increment import LAST_DAY
from export import model
from warehouse import binaries

OURS: Final = "make parquet"
COPY: Final = "psql, COPY … csv"
GOAL_MB: Final = 600
#: In which a process of PostgreSQL ends, whose CPU the server counts only then, s.
_ENDING: Final = 0.5


@dataclass(frozen=True)
class Run:
    """What one export cost: of its own process and, where it is on this machine, of PostgreSQL's CPU."""

    cost: process.Cost
    server_cpu: float
    size: int


def measure(console: Console, films: int, days: int, repeats: int) -> None:
    """Print what both take for `films` x `days` facts and all that belongs to them."""
    with BenchWarehouse("bench_parquet") as database, tempfile.TemporaryDirectory() as scratch:
        console.print(f"building {films:,} films, and a fact of {days} days …")
        History(database.connection, films).land([LAST_DAY])
        database.dbt("build", "--exclude-resource-type", "test", "unit_test")
        facts = multiply(database, days)
        manifest = PROJECT / "build" / "bench" / "bench_parquet" / "manifest.json"
        models = model.load(manifest)
        script = Path(scratch, "copy.sql")
        csv = Path(scratch, "csv")
        csv.mkdir()
        script.write_text(
            "".join(
                f"\\copy (select * from {each.schema}.{each.alias}) to '{csv / each.name}.csv' csv header\n"
                for each in models
            )
        )
        parquet = Path(scratch, "parquet")
        psql = [
            binaries.program("psql"),
            "--no-psqlrc",
            "--quiet",
            "--set=ON_ERROR_STOP=1",
            f"--file={script}",
        ]
        export = [sys.executable, "-m", "export", "--manifest", str(manifest), "--to"]
        contenders: Mapping[str, Callable[[], Run]] = {
            OURS: partial(run, database, [*export, str(parquet)], parquet),
            COPY: partial(run, database, psql, csv),
        }
        # in turns, so that what changes with time changes for all; the first of each only warms up
        rounds = [{name: one() for name, one in contenders.items()} for _ in range(repeats + 1)][1:]
    show(console, rounds, facts)


def multiply(database: BenchWarehouse, days: int) -> int:
    """Make `days` days of the one that is in the fact; how many facts there are then."""
    with database.connection.cursor() as cursor:
        cursor.execute("select * from marts.fact_movie_daily limit 0")
        names = [column.name for column in cursor.description or ()]
    changed = {"date_id": "date_id - ago", "popularity": "round((popularity * (0.5 + random()))::numeric, 3)"}
    chosen = sql.SQL(", ").join(
        sql.SQL(changed[name]) if name in changed else sql.Identifier(name) for name in names
    )
    database.connection.execute(
        sql.SQL(
            "insert into marts.fact_movie_daily"
            " select {} from marts.fact_movie_daily, generate_series(1, %s) as ago"
        ).format(chosen),
        [days - 1],
    )
    database.connection.execute("vacuum analyze")
    row = database.connection.execute("select count(*) from marts.fact_movie_daily").fetchone()
    return int(row[0]) if row else 0


def run(database: BenchWarehouse, command: Sequence[str], folder: Path) -> Run:
    """One export into a folder."""
    time.sleep(_ENDING)
    before = database.server_cpu() or 0.0
    cost = process.run(command, database.environment())
    time.sleep(_ENDING)
    spent = (database.server_cpu() or 0.0) - before
    return Run(cost, spent, sum(path.stat().st_size for path in folder.iterdir()))


def show(console: Console, rounds: Sequence[Mapping[str, Run]], facts: int) -> None:
    """Print the medians and the ratio."""
    table = Table("", title=f"All marts and views with {facts:,} facts, median of {len(rounds)} runs")
    for heading in ("wall s", "CPU s", "of it PostgreSQL's", "peak MB", "files MB"):
        table.add_column(heading, justify="right")
    for name in (OURS, COPY):
        runs = [each[name] for each in rounds]
        server = median(each.server_cpu for each in runs)
        table.add_row(
            name,
            f"{median(each.cost.wall for each in runs):.2f}",
            f"{median(each.cost.cpu for each in runs) + server:.2f}",
            f"{server:.2f}",
            f"{max(each.cost.peak for each in runs) / 1e6:.0f}",
            f"{runs[-1].size / 1e6:.0f}",
        )
    console.print(table)
    ratio = median(each[OURS].cost.wall for each in rounds) / median(each[COPY].cost.wall for each in rounds)
    peak = max(each[OURS].cost.peak for each in rounds) / 1e6
    console.print(
        f"{OURS} takes {ratio:.2f} × the time of {COPY} (goal: less than 1);"
        f" its memory {peak:.0f} MB at its peak (goal: below {GOAL_MB})"
    )
