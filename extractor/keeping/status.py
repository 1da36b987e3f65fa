"""`extractor status`: the last runs, what is landed, what failed, and how far behind today it is."""

from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final, TextIO

from psycopg.rows import dict_row

from extractor import connection, schema
from extractor.answer import LISTS
from extractor.options import DEFAULTS
from extractor.schema import Connection
from extractor.values import today

#: How many of each are shown.
RUNS: Final = 10
DATES: Final = 14

Rows = list[dict[str, Any]]

_RUNS: Final = """
select run_id, mode, snapshot_date, status, started_at, finished_at,
    requested, landed, not_found, failed, retried, bytes, error, parameters
from raw.extract_run order by run_id desc limit %(runs)s
"""
#: The newest date before another on which a resource was landed: one probe of the primary key.
_OLDER: Final = """
select max(snapshot_date) as newest from raw.tmdb_response
where resource = %(resource)s and snapshot_date < %(before)s
"""
#: What a date has: ranges of the primary key, their rows not read.
_LANDED: Final = """
select snapshot_date, resource, count(*) as rows from raw.tmdb_response
where snapshot_date = %(date)s and resource = any(%(resources)s)
group by snapshot_date, resource order by resource
"""
_FAILURES: Final = """
select snapshot_date, resource, reason, count(*) as count, max(occurred_at) as last_at,
    min(resource_id) as example_id
from raw.extract_failure
where snapshot_date > (select max(snapshot_date) from raw.extract_failure) - %(dates)s
group by snapshot_date, resource, reason order by snapshot_date desc, count(*) desc, resource, reason
"""
#: A load brings history: it says nothing of whether the daily run is alive.
_FINISHED: Final = """
select max(finished_at) as last_finished_at, max(snapshot_date) as last_snapshot_date
from raw.extract_run where status = 'finished' and mode <> 'load'
"""
#: What of a run's parameters says which films it chose, in which language, and what of them.
_CHOICE: Final = ("discover", "region", "ids_file", "limit", "min_popularity", "language", "blocks")


@dataclass(frozen=True)
class Status:
    """All that `extractor status` shows, as rows by column. `lag_days`: from the newest finished snapshot to
    today (UTC).
    """

    runs: Rows
    dates: Rows
    failures: Rows
    last_finished_at: datetime | None
    last_snapshot_date: date | None
    lag_days: int | None

    def is_older_than(self, age: timedelta) -> bool:
        """Did no run finish within `age`? One so far in the future was timed by a wrong clock."""
        return self.last_finished_at is None or abs(datetime.now(UTC) - self.last_finished_at) > age


async def look() -> Status:
    """The landing zone's status; an empty one when there is none yet."""
    async with connection.opened() as reader:
        if not await schema.exists(reader, "raw.tmdb_response"):
            return Status([], [], [], None, None, None)
        runs = await _rows(reader, _RUNS, runs=RUNS)
        failures = await _rows(reader, _FAILURES, dates=DATES)
        (last,) = await _rows(reader, _FINISHED)
        dates = await _dates(reader)
    newest = last["last_snapshot_date"]
    lag = None if newest is None else (today() - newest).days
    return Status(runs, dates, failures, **last, lag_days=lag)


async def _dates(reader: Connection) -> Rows:
    """The rows by resource of the newest dates, found one after the other: a load has many."""
    resources = ["movie", *LISTS]
    landed: Rows = []
    before: date | str = "infinity"
    for _ in range(DATES):
        found = [await _rows(reader, _OLDER, resource=resource, before=before) for resource in resources]
        newest = max((row["newest"] for (row,) in found if row["newest"]), default=None)
        if newest is None:
            break
        landed += await _rows(reader, _LANDED, date=newest, resources=resources)
        before = newest
    return landed


async def _rows(reader: Connection, query: str, **parameters: Any) -> Rows:
    cursor = reader.cursor(row_factory=dict_row)
    await cursor.execute(query.encode(), parameters)
    return await cursor.fetchall()


def show(status: Status, stream: TextIO, *, as_json: bool) -> None:
    """The status as tables for a person, or as JSON for a program, with dates and times in ISO 8601."""
    if as_json:
        import orjson

        print(orjson.dumps(asdict(status), option=orjson.OPT_INDENT_2).decode(), file=stream)
        return
    from rich.console import Console

    console = Console(file=stream, width=None if stream.isatty() else 160)
    if not status.runs:
        console.print("Nothing was extracted yet: make elt, or make demo without an account.")
        return
    numbers = {
        "asked": "requested",
        "landed": "landed",
        "gone": "not_found",
        "failed": "failed",
        "retries": "retried",
    }
    _print(
        console,
        f"The last {len(status.runs)} runs (UTC)",
        ["run", "mode", "date", "status", "started", "took"],
        [*numbers, "MB"],
        [
            [
                str(run["run_id"]),
                run["mode"],
                str(run["snapshot_date"] or ""),
                run["status"],
                f"{run['started_at'].astimezone(UTC):%Y-%m-%d %H:%M:%S}",
                _took(run),
                *(f"{run[column]:,}" for column in numbers.values()),
                f"{run['bytes'] / 1e6:,.1f}",
                "\n".join(filter(None, (_choice(run), run["error"]))),
            ]
            for run in status.runs
        ],
        folded=["choice, error"],
    )
    resources = sorted({row["resource"] for row in status.dates}, key=lambda name: (name != "movie", name))
    by_date: dict[date, dict[str, int]] = {}
    for row in status.dates:
        by_date.setdefault(row["snapshot_date"], {})[row["resource"]] = row["rows"]
    _print(
        console,
        "Landed by date",
        ["date"],
        resources,
        [[str(day), *(f"{rows.get(name, 0):,}" for name in resources)] for day, rows in by_date.items()],
    )
    if status.failures:
        _print(
            console,
            "Failures, by reason",
            ["date", "resource", "reason"],
            ["count", "example id"],
            [
                [
                    str(row["snapshot_date"]),
                    row["resource"],
                    row["reason"],
                    f"{row['count']:,}",
                    str(row["example_id"]),
                ]
                for row in status.failures
            ],
        )
    if status.last_finished_at is None:
        console.print("No run has finished yet.")
    else:
        console.print(
            f"The newest finished snapshot is of {status.last_snapshot_date}, {status.lag_days} days behind"
            f" today; the last run finished at {status.last_finished_at:%Y-%m-%d %H:%M:%S} UTC."
        )


def _print(
    console: Any,
    title: str,
    words: list[str],
    numbers: list[str],
    rows: list[list[str]],
    folded: list[str] | None = None,
) -> None:
    from rich.table import Table
    from rich.text import Text

    table = Table(title=title, title_justify="left")
    for name in words:
        table.add_column(name)
    for name in numbers:
        table.add_column(name, justify="right")
    for name in folded or []:
        table.add_column(name, overflow="fold")
    for row in rows:
        table.add_row(*map(Text, row))  # as it is: what TMDB or a person wrote is no markup
    console.print(table)


def _took(run: dict[str, Any]) -> str:
    seconds = (run["finished_at"] - run["started_at"]).total_seconds() if run["finished_at"] else -1.0
    return f"{seconds:,.0f} s" if seconds >= 0 else ""  # the server's clock was set back


def _choice(run: dict[str, Any]) -> str:
    """What chose the run's films and what was asked for of them, where it is not as ever."""
    given = run["parameters"]
    usual = {"language": DEFAULTS["TMDB_LANGUAGE"], "blocks": DEFAULTS["TMDB_BLOCKS"]}
    return ", ".join(
        f"{name} {given[name]}" for name in _CHOICE if given.get(name) not in (None, usual.get(name), "")
    )
