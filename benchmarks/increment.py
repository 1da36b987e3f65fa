"""One more day for dbt, after a few days of history and after a year: it should cost what is new."""

import datetime as dt
from statistics import median

from rich.console import Console
from rich.table import Table

from benchmarks.database import BenchWarehouse
from benchmarks.history import History

LAST_DAY = dt.date(2026, 1, 1)
GOAL = 1.3


def measure(console: Console, films: int, short: int, long: int, repeats: int) -> None:
    """Print dbt's time for one more day after `short` and after `long` days, and that of each view."""
    seconds = {}
    for days in (short, long):
        with BenchWarehouse(f"bench_increment_{days}") as database:
            console.print(f"landing {films:,} films x {days} days, building them once …")
            history = History(database.connection, films)
            history.land(days_before(LAST_DAY, days))
            database.dbt("build")
            runs = []
            for number in range(1, repeats + 1):
                history.land([LAST_DAY + dt.timedelta(days=number)])
                runs.append(database.dbt("build"))
            seconds[days] = runs
            if days == long:
                views = database.view_times()
    table = Table("history", "dbt build, median s", "min", "max", title=f"One more day of {films:,} films")
    for days, runs in seconds.items():
        table.add_row(f"{days} days", *(f"{value:.1f}" for value in (median(runs), min(runs), max(runs))))
    console.print(table)
    console.print(f"ratio {median(seconds[long]) / median(seconds[short]):.2f} (goal: at most {GOAL})")
    table = Table(
        "view", "ms, median of 5", title=f"Each view, all its rows, at {films:,} films x {long} days"
    )
    for view, milliseconds in views.items():
        table.add_row(view, f"{milliseconds:.0f}")
    console.print(table)


def days_before(last: dt.date, days: int) -> list[dt.date]:
    """The `days` days that end with `last`."""
    return [last - dt.timedelta(days=ago) for ago in reversed(range(days))]
