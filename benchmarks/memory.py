"""The extractor's peak memory for a small and a large catalogue: it should not grow with it."""

import sys
from collections.abc import Sequence
from typing import Final

from rich.console import Console
from rich.table import Table

from benchmarks import process
from benchmarks.database import BenchWarehouse
from demo.server import StandInProcess

DATE: Final = "2026-01-01"
GOAL_RATIO: Final = 1.3
GOAL_MB: Final = 250


def measure(console: Console, films: Sequence[int]) -> None:
    """Print the peak memory of mode `export` for each number of films."""
    table = Table("catalogue", title="Peak memory of extractor run --mode export")
    for heading in ("films landed", "wall s", "CPU s", "peak MB", "×"):
        table.add_column(heading, justify="right")
    peaks: list[int] = []
    for count in films:
        console.print(f"landing a catalogue of {count:,} films …")
        cost, landed = run(count)
        peaks.append(cost.peak)
        figures = (f"{cost.wall:,.0f}", f"{cost.cpu:,.0f}", f"{cost.peak / 1e6:.0f}")
        table.add_row(f"{count:,}", f"{landed:,}", *figures, f"{cost.peak / peaks[0]:.2f}")
    console.print(table)
    console.print(
        f"ratio {max(peaks) / min(peaks):.2f} (goal: at most {GOAL_RATIO});"
        f" highest {max(peaks) / 1e6:.0f} MB (goal: below {GOAL_MB})"
    )


def run(films: int) -> tuple[process.Cost, int]:
    """What landing a catalogue of so many films costs, and how many of them were landed."""
    with (
        StandInProcess("--films", str(films), "--date", DATE) as tmdb,
        BenchWarehouse("bench_memory") as database,
    ):
        environment = {
            **database.environment(),
            "TMDB_BASE_URL": tmdb.base_url,
            "TMDB_EXPORT_URL": tmdb.export_url,
            "TMDB_TOKEN": tmdb.token,
            "TMDB_SNAPSHOT_DATE": DATE,
            "TMDB_MAX_RPS": "1000000",
        }
        cost = process.run([sys.executable, "-m", "extractor", "run", "--mode", "export"], environment)
        row = database.connection.execute("select sum(landed) from raw.extract_run").fetchone()
    return cost, int(row[0]) if row else 0
