"""Databases of the benchmarks' own, on the warehouse's server."""

import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from statistics import median
from typing import LiteralString

import psutil
import psycopg
from psycopg import sql

import warehouse
from benchmarks.process import Watch
from tools.dbt_command import GO

PROJECT = Path(__file__).resolve().parent.parent

AS_LONG_AS_THE_FACT = ("vw_movie_as_of",)
OF_ONE_DAY: LiteralString = "where date_id = (select max(date_id) from marts.fact_movie_daily)"


class BenchWarehouse:
    """A database of the benchmark's own, dropped at the end."""

    def __init__(self, name: str) -> None:
        self._name = name
        self.variables: Mapping[str, str] = {}
        self.peak = 0
        """Bytes of memory that a dbt on this database has taken at most."""

    def __enter__(self) -> "BenchWarehouse":
        self._admin = psycopg.connect(**connection_options(warehouse.ensure()), autocommit=True)
        self._drop()
        self._admin.execute(sql.SQL("create database {}").format(sql.Identifier(self._name)))
        self.variables = {**warehouse.ensure(), "PGDATABASE": self._name}
        self.connection = psycopg.connect(**connection_options(self.variables), autocommit=True)
        return self

    def __exit__(self, *_: object) -> None:
        self.connection.close()
        self._drop()
        self._admin.close()

    def _drop(self) -> None:
        self._admin.execute(
            sql.SQL("drop database if exists {} with (force)").format(sql.Identifier(self._name))
        )

    def dbt(self, *command: str, waits: bool = False, project: Path | None = None) -> float:
        """Seconds that dbt takes: as a whole process or, if it `waits`, from when a dbt that has read
        the project is told to go, as in `make elt`. `project`: another dbt project than ours. Raises
        CalledProcessError.
        """
        folder = PROJECT / "build" / "bench" / self._name
        environment = {**self.environment(), "TMDB_BUILD_FOLDER": str(folder)}
        program = [sys.executable, "-m", "tools.dbt_command", *(["--wait"] if waits else []), *command]
        if project:
            folders = ("--project-dir", project, "--profiles-dir", project)
            folders += ("--target-path", folder / "target", "--log-path", folder / "logs")
            program = [str(Path(sys.executable).with_name("dbt")), *command, *map(str, folders)]
        began = time.perf_counter()
        with subprocess.Popen(
            [*program, "--quiet", "--exclude-resource-type", "unit_test"],
            stdin=subprocess.PIPE,
            cwd=PROJECT,
            env=environment,
        ) as process:
            assert process.stdin is not None
            watch = Watch(process.pid)
            watch.start()
            if waits:
                _rests(psutil.Process(process.pid))
                began = time.perf_counter()
                process.stdin.write(GO)
            process.stdin.close()
            code = process.wait()
            seconds = time.perf_counter() - began
            watch.stop()
        self.peak = max(self.peak, watch.peak)
        if code:
            raise subprocess.CalledProcessError(code, program)
        return seconds

    def view_times(self) -> dict[str, float]:
        """Milliseconds that reading all of each view takes, the median of five; of those that have a row for
        each fact, one day's rows.
        """
        times = {}
        names = self.connection.execute(
            "select viewname from pg_views where schemaname = 'analytics' order by viewname"
        ).fetchall()
        for (view,) in names:
            query = sql.SQL("select count(t) from analytics.{} as t {}").format(
                sql.Identifier(view), sql.SQL(OF_ONE_DAY if view in AS_LONG_AS_THE_FACT else "")
            )
            runs = []
            for _ in range(5):
                began = time.perf_counter()
                self.connection.execute(query)
                runs.append((time.perf_counter() - began) * 1000)
            times[view] = median(runs)
        return times

    def environment(self) -> dict[str, str]:
        """The environment of a program that works on this database, without a person's own TMDB settings."""
        inherited = warehouse.overlay(self.variables)
        return {
            **{name: value for name, value in inherited.items() if not name.startswith("TMDB_")},
            "TMDB_ENV_FILE": "",
        }

    def server_cpu(self) -> float | None:
        """CPU seconds that the PostgreSQL server has used since it started, all its processes and those that
        have ended; None when it isn't on this machine.
        """
        if not self.variables["PGHOST"].startswith("/"):
            return None
        postmaster = psutil.Process(self.connection.info.backend_pid).parent()
        if postmaster is None:
            return None
        total: float = sum(
            postmaster.cpu_times()[:4]
        )  # user, system, and both of the children that have ended
        for child in postmaster.children():
            try:
                total += sum(child.cpu_times()[:2])
            except psutil.NoSuchProcess:  # it ended just now, and is among the postmaster's
                continue
        return total


def _rests(process: psutil.Process) -> None:
    """Wait until a process has used no CPU for a second."""
    used = -1.0
    while used != (now := sum(process.cpu_times()[:2])):
        used = now
        time.sleep(1)


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
