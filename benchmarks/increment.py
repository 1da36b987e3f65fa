"""dbt's time: one more day after a few days and after a year, the year rebuilt, a catalogue at once."""

import datetime as dt
from statistics import median
from typing import Final

from rich.console import Console
from rich.table import Table

from benchmarks.database import AS_LONG_AS_THE_FACT, BenchWarehouse
from benchmarks.history import History
from tools.elt import HELD_ANYHOW

LAST_DAY: Final = dt.date(2026, 1, 1)
RATIO_GOAL: Final = 1.1
VIEW_GOAL: Final = 100

#: What a figure of dbt's time says of its start, by whether dbt waited.
STARTS: Final = {True: "dbt was loaded meanwhile", False: "with its start"}

#: What `make elt` builds and tests of a day.
DAY: Final = ("build", "--exclude", *HELD_ANYHOW)
FULL_REFRESH: Final = ("build", "--full-refresh")
REPARSE: Final = ("build", "--full-refresh", "--vars", "reparse: true")


def measure(console: Console, films: int, short: int, long: int, repeats: int) -> None:
    """Print dbt's time for one more day after `short` and after `long` days, for a rebuild of the long
    history, and of each view.
    """
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
