"""This extractor, a plain sequential script and dlt land the same films, from the same stand-in for TMDB into
the same PostgreSQL.

Each is a whole process, from its start to its end. The stand-in and PostgreSQL share the machine with them.
A first day takes every film with its credits and keywords; an ordinary day, of known films, does not.
"""

import datetime as dt
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Final, NamedTuple

import click
from psycopg import sql
from rich.console import Console
from rich.table import Table

from benchmarks import process
from benchmarks.database import BenchWarehouse
from demo.server import StandInProcess

DATE: Final = dt.date(2026, 1, 2)
PAGE_FILMS: Final = 20
CONNECTIONS: Final = 20
#: Requests a second of the paced cases; the stand-in answers 429 to more than a tenth above it.
RPS: Final = 40
#: What `TMDB_MAX_RPS` is where there is no limit: more than any machine can do.
_NO_LIMIT: Final = 1_000_000
#: A case that takes a contender longer than this (s) is left out unless asked for.
_LONG: Final = 200
_LARGE: Final = 10_000

CONTENDERS: Final[Mapping[str, Sequence[str]]] = {
    "this extractor": ["-m", "extractor", "run", "--mode", "popular"],
    "sequential requests": ["-m", "benchmarks.rivals.sequential"],
    "dlt": ["-m", "benchmarks.rivals.dlt_pipeline"],
}
OURS, SEQUENTIAL, DLT = CONTENDERS
#: How many times our CPU time a rival takes at 10,000 films, at least: on a first day, on an ordinary one.
GOALS: Final = {SEQUENTIAL: (2.0, 2.0), DLT: (4.5, 3.0)}

_LANDED: Final = """
    select resource_id as movie_id, snapshot_date, payload from raw.tmdb_response
    where resource = 'movie' and http_status = 200 and snapshot_date = {day}
"""
_COMPARE: Final = """
    select
        count(ours.movie_id),
        count(*) filter (where ours.payload - {but}::text[] is distinct from rival.payload - {but}::text[])
    from ({ours}) as ours full join {rival} as rival using (movie_id, snapshot_date)
"""


class DifferentFilmsError(click.ClickException):
    """Two contenders did not land the same films: their figures can't be compared."""


class Case(NamedTuple):
    """Films, milliseconds that every answer is held back, requests a second (0: no limit), and whether it is
    a first day.
    """

    films: int
    latency: int
    rps: int
    first: bool = True

    def __str__(self) -> str:
        limit = f"at {self.rps} requests/s" if self.rps else "no limit"
        day = "first day" if self.first else "ordinary day"
        return f"{self.films:,} films, {day}, {self.latency} ms, {limit}"

    def at_least(self, contender: str) -> float:
        """Seconds that the contender's requests take, whatever its speed."""
        requests = self.films + self.films // PAGE_FILMS
        at_once = 1 if contender == SEQUENTIAL else CONNECTIONS
        return requests * max(1 / self.rps if self.rps else 0.0, self.latency / 1000 / at_once)


@dataclass(frozen=True)
class Figures:
    """What one run cost; `server_cpu` is that of PostgreSQL, which is None where it can't be known."""

    cost: process.Cost
    server_cpu: float | None
    requests: int
    highest_rate: int


def measure(console: Console, films: Sequence[int], repeats: int, *, large: bool) -> None:
    """Print the table. Raises `DifferentFilmsError`, `ProgramFailedError`."""
    speeds = ((0, 0), (50, 0), (0, RPS), (0, 0, False))
    cases = [Case(count, *speed) for count in films for speed in speeds]
    run_case(Case(PAGE_FILMS, 0, 0), list(CONTENDERS))  # compiles, fills caches
    rows: dict[Case, dict[str, Figures]] = {}
    left_out = []
    for case in cases:
        chosen = [name for name in CONTENDERS if large or case.at_least(name) < _LONG]
        left_out += [f"{name} ({case})" for name in CONTENDERS if name not in chosen]
        if chosen:
            console.print(f"{case}: {', '.join(chosen)} …")
            runs = [run_case(case, chosen) for _ in range(repeats)]
            rows[case] = {name: _typical([run[name] for run in runs]) for name in chosen}
    console.print(_table(rows, repeats))
    for case, figures in rows.items():
        _tell(console, case, figures)
    if left_out:
        console.print(f"left out, as they take minutes each (--large): {'; '.join(left_out)}")


def run_case(case: Case, contenders: Sequence[str]) -> dict[str, Figures]:
    """What each contender costs. Raises `DifferentFilmsError` unless all land the same films."""
    options = ["--latency", str(case.latency), "--date", DATE.isoformat(), "--repeats", "0"]
    # more films than are asked for: some are hidden from the list
    options += ["--films", str(case.films * 5 // 4 + 200)]
    if case.rps:
        options += ["--max-rps", str(case.rps + case.rps // 10)]
    figures = {}
    with StandInProcess(*options) as tmdb, BenchWarehouse("bench_extract") as database:
        environment = {
            **database.environment(),
            "TMDB_BASE_URL": tmdb.base_url,
            "TMDB_EXPORT_URL": tmdb.export_url,
            "TMDB_TOKEN": tmdb.token,
            "TMDB_SNAPSHOT_DATE": DATE.isoformat(),
            "TMDB_PAGES": str(-(-case.films // PAGE_FILMS)),
            "TMDB_MAX_RPS": str(case.rps or _NO_LIMIT),
            "TMDB_MAX_CONNECTIONS": str(CONNECTIONS),
            # the pages' films and no others; of known films next to none is due for a full payload
            "TMDB_TRACK_DAYS": "0",
            "TMDB_FULL_DAYS": "3660",
            "TMDB_BLOCKS": "credits,keywords",  # what the rivals ask for
            "BENCH_RPS": str(case.rps),
            "BENCH_FULL": "yes" if case.first else "no",
        }
        if not case.first and OURS in contenders:
            tmdb.today = DATE - dt.timedelta(days=1)
            process.run(
                [sys.executable, *CONTENDERS[OURS]],
                {**environment, "TMDB_SNAPSHOT_DATE": tmdb.today.isoformat()},
            )
            tmdb.today = DATE
        for name in contenders:
            tmdb.reset()
            # nothing that one leaves behind is written during the next one's run
            database.connection.execute("checkpoint")
            before = database.server_cpu()
            cost = process.run([sys.executable, *CONTENDERS[name]], environment)
            after = database.server_cpu()
            stats = tmdb.stats()
            figures[name] = Figures(
                cost,
                None if before is None or after is None else after - before,
                stats["requests"],
                stats["highest_rate"],
            )
        for name, table in ((SEQUENTIAL, ("sequential", "movie")), (DLT, ("dlt_films", "movie"))):
            if name in contenders and OURS in contenders:
                _compare(database, case, name, sql.Identifier(*table))
    return figures


def _compare(database: BenchWarehouse, case: Case, name: str, table: sql.Identifier) -> None:
    query = sql.SQL(_COMPARE).format(
        ours=sql.SQL(_LANDED).format(day=sql.Literal(DATE)),
        rival=table,
        # the few films that are new on an ordinary day: the extractor, unlike its rivals, notices
        but=sql.Literal([] if case.first else ["credits", "keywords"]),
    )
    films, different = database.connection.execute(query).fetchone() or (0, 0)
    if different or not films:
        raise DifferentFilmsError(f"of {films:,} films, {name} landed {different:,} otherwise than {OURS}")


def _typical(runs: Sequence[Figures]) -> Figures:
    """The median of each figure."""
    server = [run.server_cpu for run in runs if run.server_cpu is not None]
    cost = process.Cost(
        median(run.cost.wall for run in runs),
        median(run.cost.cpu for run in runs),
        round(median(run.cost.peak for run in runs)),
    )
    return Figures(
        cost,
        median(server) if server else None,
        max(run.requests for run in runs),
        max(run.highest_rate for run in runs),
    )


def _table(rows: Mapping[Case, Mapping[str, Figures]], repeats: int) -> Table:
    title = "The same films landed" + (f", median of {repeats} runs" if repeats > 1 else "")
    table = Table("", title=title)
    for heading in ("wall s", "×", "CPU s", "×", "peak MB", "×", "server CPU s", "most in 1 s"):
        table.add_column(heading, justify="right")
    for case, figures in rows.items():
        table.add_row(f"[bold]{case}[/bold]")
        ours = figures[OURS].cost if OURS in figures else None
        for name, figure in figures.items():
            cost = figure.cost
            table.add_row(
                f"  {name}",
                *(f"{cost.wall:,.1f}", _ratio(cost.wall, ours.wall if ours else None)),
                *(f"{cost.cpu:,.1f}", _ratio(cost.cpu, ours.cpu if ours else None)),
                *(f"{cost.peak / 1e6:,.0f}", _ratio(cost.peak, ours.peak if ours else None)),
                "–" if figure.server_cpu is None else f"{figure.server_cpu:,.1f}",
                f"{figure.highest_rate:,}",
            )
        table.add_section()
    return table


def _ratio(value: float, ours: float | None) -> str:
    return f"{value / ours:.1f}" if ours else "–"


def _tell(console: Console, case: Case, figures: Mapping[str, Figures]) -> None:
    """The goals that a case is to meet."""
    if OURS not in figures:
        return
    ours = figures[OURS]
    if case.rps:
        limit = ours.requests / case.rps
        console.print(
            f"{case}: {ours.requests:,} requests in {ours.cost.wall:.1f} s; the pace alone: {limit:.1f} s"
            f" (goal: at most {1.02 * limit + 1:.1f} s); at most {ours.highest_rate} in any second"
            f" (goal: at most {case.rps * 1.1:.0f})"
        )
    elif case.films >= _LARGE:
        for name, (first, ordinary) in GOALS.items():
            if name in figures:
                goal = first if case.first else ordinary
                ratio = figures[name].cost.cpu / ours.cost.cpu
                console.print(f"{case}: {name} takes {ratio:.1f} × our CPU (goal: at least {goal:g} ×)")
