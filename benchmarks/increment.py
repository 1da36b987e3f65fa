"""dbt's time: one more day after a few days and after a year, the year rebuilt, a catalogue at once."""

import datetime as dt
import subprocess
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from statistics import median
from typing import Final

from rich.console import Console
from rich.table import Table

from benchmarks.database import AS_LONG_AS_THE_FACT, PROJECT, BenchWarehouse
from benchmarks.history import History
from tools.elt import HELD_ANYHOW

LAST_DAY: Final = dt.date(2026, 1, 1)
RATIO_GOAL: Final = 1.1
VIEW_GOAL: Final = 100

#: The last commit of version 0.2.0, whose dbt project is measured beside this one's.
VERSION_0_2_0: Final = "83f8702"

#: What a figure of dbt's time says of its start, by whether dbt waited.
STARTS: Final = {True: "dbt was loaded meanwhile", False: "with its start"}

#: What `make elt` builds and tests of a day.
DAY: Final = ("build", "--exclude", *HELD_ANYHOW)
FULL_REFRESH: Final = ("build", "--full-refresh")
REPARSE: Final = ("build", "--full-refresh", "--vars", "reparse: true")


def measure(console: Console, films: int, short: int, long: int, repeats: int) -> None:
    """Print dbt's time for one more day after `short` and after `long` days, for a rebuild of the long
    history, and of each view; beside it that of version 0.2.0 for one more day after `short` days.
    """
    before = measure_before(console, films, short, repeats)
    seconds: dict[tuple[int, bool], list[float]] = {}
    rebuilds: dict[str, float] = {}
    views: dict[str, float] = {}
    for days in (short, long):
        with BenchWarehouse(f"bench_increment_{days}") as database:
            console.print(f"landing {films:,} films x {days} days, building them once …")
            history = History(database.connection, films)
            history.land(days_before(LAST_DAY, days))
            first = database.dbt(*DAY)
            database.dbt(*DAY)
            for number in range(2 * repeats):
                waits = number % 2 == 1
                history.land([LAST_DAY + dt.timedelta(days=number + 1)])
                seconds.setdefault((days, waits), []).append(database.dbt(*DAY, waits=waits))
            if days == long:
                rebuilds = {
                    "first build": first,
                    "FULL_REFRESH=1, all tests": database.dbt(*FULL_REFRESH),
                    "REPARSE=1, all tests": database.dbt(*REPARSE),
                }
                views = database.view_times()
    table = Table("history", "dbt, median s", "min", "max", title=f"One more day of {films:,} films")
    for (days, waits), runs in seconds.items():
        case = f"{days} days, {STARTS[waits]}"
        table.add_row(case, *(f"{value:.1f}" for value in (median(runs), min(runs), max(runs))))
    if before:
        case = f"{short} days, version 0.2.0"
        table.add_row(case, *(f"{value:.1f}" for value in (median(before), min(before), max(before))))
    console.print(table)
    ratio = median(seconds[long, False]) / median(seconds[short, False])
    console.print(f"ratio {ratio:.2f} (goal: at most {RATIO_GOAL})")
    table = Table("dbt", "s", title=f"All of {films:,} films x {long} days")
    for what, spent in rebuilds.items():
        table.add_row(what, f"{spent:.1f}")
    console.print(table)
    table = Table(
        "view",
        "ms, median of 5",
        title=f"Each view whole (a day of {', '.join(AS_LONG_AS_THE_FACT)}), {films:,} films x {long} days",
    )
    for view, milliseconds in views.items():
        table.add_row(view, f"{milliseconds:.0f}{'' if milliseconds <= VIEW_GOAL else ' (goal: 100)'}")
    console.print(table)


def measure_before(console: Console, films: int, days: int, repeats: int) -> list[float]:
    """Seconds that version 0.2.0 takes for one more day with its tests, all of which its day has; none where
    its commit can't be had, as in a shallow clone.
    """
    with version_0_2_0() as project:
        if project is None:
            console.print(f"git knows no commit {VERSION_0_2_0}: version 0.2.0 is left out")
            return []
        with BenchWarehouse("bench_increment_before") as database:
            console.print(f"landing {films:,} films x {days} days for version 0.2.0 …")
            history = History(database.connection, films)
            history.land(days_before(LAST_DAY, days))
            database.dbt("build", project=project)
            seconds = []
            for number in range(repeats):
                history.land([LAST_DAY + dt.timedelta(days=number + 1)])
                seconds.append(database.dbt("build", project=project))
            return seconds


@contextmanager
def version_0_2_0() -> Iterator[Path | None]:
    """The dbt project of version 0.2.0, in a folder that lasts as long as the block."""
    archive = ["git", "archive", VERSION_0_2_0, "dbt_project"]
    done = subprocess.run(archive, cwd=PROJECT, capture_output=True, check=False)
    with tempfile.TemporaryDirectory() as folder:
        if done.returncode == 0:
            with tarfile.open(fileobj=BytesIO(done.stdout)) as packed:
                packed.extractall(folder, filter="data")
        yield Path(folder) / "dbt_project" if done.returncode == 0 else None


def measure_catalogue(console: Console, films: int, cast: int) -> None:
    """Print dbt's time for the first two days of a catalogue of films with `cast` persons each."""
    with BenchWarehouse("bench_catalogue") as database:
        console.print(f"landing {films:,} films with {cast} of cast each …")
        history = History(database.connection, films, cast)
        history.land([LAST_DAY])
        for waits in (True, False):
            database.connection.execute(
                "drop schema if exists staging, marts, analytics, quality, ops cascade"
            )
            seconds = database.dbt(*DAY, waits=waits)
            console.print(f"all built at once, models and tests, {STARTS[waits]}: {seconds:.1f} s")
        history.land([LAST_DAY + dt.timedelta(days=1)])
        console.print(f"one more day, {STARTS[True]}: {database.dbt(*DAY, waits=True):.1f} s")
        console.print(f"memory of dbt: {database.peak / 1e6:.0f} MB at its peak")


def days_before(last: dt.date, days: int) -> list[dt.date]:
    """The `days` days that end with `last`."""
    return [last - dt.timedelta(days=ago) for ago in reversed(range(days))]
