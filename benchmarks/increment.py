"""One more day for dbt, after a few days of history and after a year: it should cost what is new."""

import datetime as dt
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median

import psycopg
from psycopg import sql
from rich.console import Console
from rich.table import Table

import warehouse
from benchmarks.history import PROJECT, History

LAST_DAY = dt.date(2026, 1, 1)
GOAL = 1.3
VIEWS = ("vw_movie_latest", "vw_genre_popularity", "vw_top_movies")


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


class BenchWarehouse:
    """A database of the benchmark's own, dropped at the end."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._variables: Mapping[str, str] = {}

    def __enter__(self) -> "BenchWarehouse":
        self._admin = psycopg.connect(**connection_options(warehouse.ensure()), autocommit=True)
        self._drop()
        self._admin.execute(sql.SQL("create database {}").format(sql.Identifier(self._name)))
        self._variables = {**warehouse.ensure(), "PGDATABASE": self._name}
        self.connection = psycopg.connect(**connection_options(self._variables), autocommit=True)
        return self

    def __exit__(self, *_: object) -> None:
        self.connection.close()
        self._drop()
        self._admin.close()

    def _drop(self) -> None:
        self._admin.execute(
            sql.SQL("drop database if exists {} with (force)").format(sql.Identifier(self._name))
        )

    def dbt(self, *command: str) -> float:
        """Seconds that a dbt command takes as a whole process. Raises CalledProcessError."""
        with tempfile.TemporaryDirectory() as scratch:
            folder = str(PROJECT / "dbt_project")
            options: Sequence[str] = [
                *("--project-dir", folder, "--profiles-dir", folder, "--exclude-resource-type", "unit_test"),
                *("--target-path", str(PROJECT / "build" / "bench" / self._name), "--log-path", scratch),
            ]
            began = time.perf_counter()
            subprocess.run(
                [str(Path(sys.executable).with_name("dbt")), "--quiet", *command, *options],
                env={**os.environ, **self._variables},
                check=True,
            )
            return time.perf_counter() - began

    def view_times(self) -> dict[str, float]:
        """Milliseconds that reading all of each view takes, the median of five."""
        times = {}
        for view in VIEWS:
            query = sql.SQL("select count(t) from analytics.{} as t").format(sql.Identifier(view))
            runs = []
            for _ in range(5):
                began = time.perf_counter()
                self.connection.execute(query)
                runs.append((time.perf_counter() - began) * 1000)
            times[view] = median(runs)
        return times


def connection_options(variables: Mapping[str, str]) -> dict[str, str]:
    """psycopg's arguments for PG* variables."""
    names = {
        "PGHOST": "host",
        "PGPORT": "port",
        "PGUSER": "user",
        "PGPASSWORD": "password",
        "PGDATABASE": "dbname",
    }
    return {option: variables[name] for name, option in names.items() if variables.get(name)}
