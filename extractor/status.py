"""`extractor status`: the last runs, what is landed, what failed, and how far behind today it is."""

from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, TextIO

from rich.console import Console
from rich.table import Table

from extractor import landing
from extractor.settings import today
from extractor.tmdb import LISTS

#: How many of each are shown.
RUNS = 10
DATES = 14

_RUNS = """
select run_id, mode, snapshot_date, status, started_at, finished_at,
    requested, landed, not_found, failed, retried, bytes, error
from raw.extract_run order by run_id desc limit %(runs)s
"""
_DATES = """
with recursive date as (
    -- the newest, then each time the next older one: a probe of the primary key for each, as a load has many
    select max(newest.snapshot_date) as snapshot_date, 1 as place
    from unnest(%(resources)s::text[]) as resource (name)
    cross join lateral (
        select max(response.snapshot_date) as snapshot_date from raw.tmdb_response as response
        where response.resource = resource.name
    ) as newest
    union all
    select
        (
            select max(older.snapshot_date)
            from unnest(%(resources)s::text[]) as resource (name)
            cross join lateral (
                select max(response.snapshot_date) as snapshot_date from raw.tmdb_response as response
                where response.resource = resource.name and response.snapshot_date < date.snapshot_date
            ) as older
        ),
        date.place + 1
    from date
    where date.snapshot_date is not null and date.place < %(dates)s
)

select date.snapshot_date, resource.name, landed.rows
from date
cross join unnest(%(resources)s::text[]) as resource (name)
cross join lateral (
    -- one range of the primary key, its rows not read
    select count(*) as rows from raw.tmdb_response as response
    where response.resource = resource.name and response.snapshot_date = date.snapshot_date
) as landed
where landed.rows > 0
order by date.snapshot_date desc, resource.name
"""
_FAILURES = """
select snapshot_date, resource, reason, count(*), max(occurred_at), min(resource_id) from raw.extract_failure
where snapshot_date > (select max(snapshot_date) from raw.extract_failure) - %(dates)s
group by snapshot_date, resource, reason order by snapshot_date desc, count(*) desc, resource, reason
"""
#: A load brings history: it says nothing of whether the daily run is alive.
_FINISHED = """
select max(finished_at), max(snapshot_date) from raw.extract_run where status = 'finished' and mode <> 'load'
"""


@dataclass(frozen=True)
class LedgerRun:
    """A run as the ledger has it; a load has no snapshot date, its rows have theirs."""

    run_id: int
    mode: str
    snapshot_date: date | None
    status: str
    started_at: datetime
    finished_at: datetime | None
    requested: int
    landed: int
    not_found: int
    failed: int
    retried: int
    bytes: int
    error: str | None


@dataclass(frozen=True)
class LandedDate:
    """Rows of a resource on a snapshot date."""

    snapshot_date: date
    resource: str
    rows: int


@dataclass(frozen=True)
class FailureReason:
    """How often a reason occurred on a snapshot date, and one example's id."""

    snapshot_date: date
    resource: str
    reason: str
    count: int
    last_at: datetime
    example_id: int


@dataclass(frozen=True)
class Status:
    """All that `extractor status` shows. `lag_days`: from the newest finished snapshot to today (UTC)."""

    runs: list[LedgerRun]
    dates: list[LandedDate]
    failures: list[FailureReason]
    last_finished_at: datetime | None
    last_snapshot_date: date | None
    lag_days: int | None

    def is_older_than(self, age: timedelta) -> bool:
        """Did no run finish within `age`? One so far in the future was timed by a wrong clock."""
        return self.last_finished_at is None or abs(datetime.now(UTC) - self.last_finished_at) > age

    def as_json(self) -> dict[str, Any]:
        """For a program; dates and times in ISO 8601."""
        return asdict(self)


async def read() -> Status:
    """The landing zone's status; an empty one when there is none yet."""
    async with landing.read_only() as connection:
        cursor = await connection.execute("select to_regclass('raw.tmdb_response') is not null")
        if await cursor.fetchall() != [(True,)]:
            return Status([], [], [], None, None, None)
        bounds = {"runs": RUNS, "dates": DATES, "resources": ["movie", *LISTS]}
        runs = await (await connection.execute(_RUNS.encode(), bounds)).fetchall()
        dates = await (await connection.execute(_DATES.encode(), bounds)).fetchall()
        failures = await (await connection.execute(_FAILURES.encode(), bounds)).fetchall()
        ((finished_at, snapshot_date),) = await (await connection.execute(_FINISHED.encode())).fetchall()
    return Status(
        [LedgerRun(*row) for row in runs],
        [LandedDate(*row) for row in dates],
        [FailureReason(*row) for row in failures],
        finished_at,
        snapshot_date,
        None if snapshot_date is None else (today() - snapshot_date).days,
    )


def show(status: Status, stream: TextIO) -> None:
    """The status as tables for a person."""
    console = Console(file=stream, width=None if stream.isatty() else 160)
    if not status.runs:
        console.print("Nothing was extracted yet: make elt, or make demo without an account.")
        return
    table = Table(title=f"The last {len(status.runs)} runs (UTC)", title_justify="left")
    for name in ("run", "mode", "date", "status", "started", "took"):
        table.add_column(name)
    for name in ("asked", "landed", "gone", "failed", "retries", "MB"):
        table.add_column(name, justify="right")
    table.add_column("error", overflow="fold")
    for run in status.runs:
        seconds = (run.finished_at - run.started_at).total_seconds() if run.finished_at else -1.0
        took = f"{seconds:,.0f} s" if seconds >= 0 else ""  # the server's clock was set back
        table.add_row(
            str(run.run_id),
            run.mode,
            str(run.snapshot_date or ""),
            run.status,
            f"{run.started_at.astimezone(UTC):%Y-%m-%d %H:%M:%S}",
            took,
            *(f"{count:,}" for count in (run.requested, run.landed, run.not_found, run.failed, run.retried)),
            f"{run.bytes / 1e6:,.1f}",
            run.error or "",
        )
    console.print(table)
    table = Table(title="Landed by date", title_justify="left")
    table.add_column("date")
    resources = sorted({landed.resource for landed in status.dates}, key=lambda name: (name != "movie", name))
    for resource in resources:
        table.add_column(resource, justify="right")
    by_date: dict[date, dict[str, int]] = {}
    for landed in status.dates:
        by_date.setdefault(landed.snapshot_date, {})[landed.resource] = landed.rows
    for day, rows in by_date.items():
        table.add_row(str(day), *(f"{rows.get(resource, 0):,}" for resource in resources))
    console.print(table)
    if status.failures:
        table = Table(title="Failures, by reason", title_justify="left")
        for name in ("date", "resource", "reason", "count", "example id"):
            table.add_column(name, justify="right" if name in ("count", "example id") else "left")
        for failure in status.failures:
            table.add_row(
                str(failure.snapshot_date),
                failure.resource,
                failure.reason,
                f"{failure.count:,}",
                str(failure.example_id),
            )
        console.print(table)
    if status.last_snapshot_date is None:
        console.print("No run has finished yet.")
    else:
        console.print(
            f"The newest finished snapshot is of {status.last_snapshot_date}, {status.lag_days} days behind"
            f" today; the last run finished at {status.last_finished_at:%Y-%m-%d %H:%M:%S} UTC."
        )
