"""The landing zone's ledger and its writer (`schema` defines the tables, `connection` holds the lock).

A batch is one transaction: COPY into a temporary table, one upsert, its failures, and the ledger's counts as
they are after it. The counts are set, not added to, and a failure is unique in its run: so a batch whose
commit was in doubt when the connection broke is simply written again.
"""

import asyncio
import logging
import os
import socket
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import asdict, dataclass, replace
from datetime import date
from typing import Any, Final, TypeVar

import psycopg
from psycopg.types.json import Jsonb

from common.errors import ProgramError, one_line
from common.report import Counts, Report
from extractor import batch, schema
from extractor.connection import WRITER, connect, locked
from extractor.errors import LandingError, RunFailedError
from extractor.rows import MAX_FAILED_BODY, Failure, Outcome, Row
from extractor.schema import Connection
from warehouse import WarehouseError, advisory
from warehouse.connection import PATIENCE

log = logging.getLogger(__name__)

T = TypeVar("T")

#: How long giving the lock back may take, s.
_UNLOCK_SECONDS: Final = 1.0
#: How long PostgreSQL is waited for once a signal has come, s.
LAST_PATIENCE: Final = 2.0

#: SQLSTATE classes that may pass: connection, rollback, resources (a full disk), operator, system; and two
#: codes: a lock not had in time, a server that is read-only during a failover.
_PASSING: Final = ("08", "40", "53", "57", "58", "55P03", "25006")
#: What PostgreSQL can refuse in one row: data, integrity, limits.
_REFUSED: Final = ("22", "23", "54")

#: What the ledger says of a run that was found still marked as running.
_DIED: Final = "ended without a word: killed, or its machine stopped"

#: The ledger's counts, as they are after a batch.
_COUNT: Final = """
update raw.extract_run set requested = %(requested)s, landed = %(landed)s, not_found = %(not_found)s,
    failed = %(failed)s, retried = %(retried)s, bytes = %(bytes)s, partial = %(partial)s, kept = %(kept)s
where run_id = %(run_id)s
"""


@dataclass(frozen=True)
class Run:
    """A run's line in the ledger. `snapshot_date`: none for a load, whose rows bring theirs. `resumes`:
    unfinished runs of its date, whose films it need not fetch.
    """

    run_id: int
    snapshot_date: date | None
    resumes: tuple[int, ...]


@dataclass(frozen=True)
class Summary:
    """How a run ended, for its closing line."""

    run_id: int
    verb: str
    counts: Counts
    seconds: float

    def __str__(self) -> str:
        took = f"{self.seconds:,.1f} s ({self.counts.done / self.seconds:,.0f}/s)"
        return f"{self.counts.requested:,} {self.verb}: {self.counts} in {took}"


class _LockBusyError(Exception):
    """Another session has the lock; it may be the one of our own lost connection."""


class Landing:
    """A landing zone with the writer's lock. Use `run`.

    Whoever writes keeps the ledger's `requested` up to date, and says how to know what was `retried`;
    `problems` are reasons why the run has failed although it comes to its end.
    """

    def __init__(self, connection: Connection) -> None:
        self.requested = 0
        self.retried: Callable[[], int] = lambda: 0
        self.problems: list[str] = []
        self.patience = PATIENCE
        self._connection = connection
        self._turn = asyncio.Lock()
        self._run: Run | None = None
        self._committed = Counts()
        # those that were written to, by the first day of their month
        self._partitions: dict[date, str] = {}

    @property
    def counts(self) -> Counts:
        """What is safely in the landing zone, and what was asked for until now."""
        return replace(self._committed, requested=self.requested, retried=self.retried())

    @property
    def begun(self) -> Run:
        """The run that `begin` has opened."""
        if self._run is None:
            raise RuntimeError("no run was begun")
        return self._run

    async def begin(self, mode: str, parameters: dict[str, Any], day: date | None) -> None:
        """Bring the schema up to date; mark runs that died; open the run in the ledger. `day`: what its rows
        are landed under; none for a load.
        """

        async def operation(connection: Connection) -> Run:
            await schema.migrate(connection)
            async with connection.transaction():
                dead = await connection.execute(
                    "update raw.extract_run set status = 'interrupted', error = %s"
                    " where status = 'running' returning run_id",
                    [_DIED],
                )
                for (run_id,) in await dead.fetchall():
                    log.warning("run %d ended without a word: marked as interrupted", run_id)
                chain = await unfinished(connection, day) if day else ()
                cursor = await connection.execute(
                    "insert into raw.extract_run (mode, parameters, snapshot_date, status)"
                    " values (%s, %s, %s, 'running') returning run_id",
                    [mode, Jsonb(parameters | {"pid": os.getpid(), "host": socket.gethostname()}), day],
                )
                ((run_id,),) = await cursor.fetchall()
            return Run(run_id, day, chain)

        self._began = time.monotonic()
        self._run = await self._patiently(operation)

    def summary(self) -> Summary:
        """How far the run has come."""
        verb = "read" if self.begun.snapshot_date is None else "asked for"
        return Summary(self.begun.run_id, verb, self.counts, time.monotonic() - self._began)

    async def query(self, text: str, parameters: dict[str, Any]) -> list[tuple[Any, ...]]:
        """The rows of a query; waits for PostgreSQL like everything here."""

        async def operation(connection: Connection) -> list[tuple[Any, ...]]:
            cursor = await connection.execute(text.encode(), parameters)
            return await cursor.fetchall()

        return await self._patiently(operation)

    async def write(self, outcomes: Sequence[Outcome]) -> None:
        """One batch. A row that PostgreSQL refuses becomes a failure and takes no other with it."""
        try:
            await self._patiently(lambda connection: self._batch(connection, outcomes))
        except psycopg.Error as error:
            if not (error.sqlstate or "").startswith(_REFUSED):
                raise LandingError(f"PostgreSQL refused a batch of films: {one_line(error)}") from error
            if len(outcomes) > 1:
                half = len(outcomes) // 2
                await self.write(outcomes[:half])
                await self.write(outcomes[half:])
                return
            (row,) = outcomes
            if not isinstance(row, Row):
                raise LandingError(f"PostgreSQL refused a failure's record: {one_line(error)}") from error
            await self.write([_refused(row, error)])

    async def finish(self, status: str, error: str | None = None) -> None:
        """Close the run in the ledger."""
        counts = self.counts

        async def operation(connection: Connection) -> None:
            async with connection.transaction():
                await _count(connection, self.begun.run_id, counts)
                await connection.execute(
                    "update raw.extract_run set status = %s, error = %s, finished_at = now()"
                    " where run_id = %s",
                    [status, error, self.begun.run_id],
                )

        await self._patiently(operation)

    async def tidy(self) -> None:
        """VACUUM and ANALYZE the partitions written to: statistics for the models' plans, and a visibility
        map so that the tracked films are read from an index alone. Never fails a run.
        """
        for partition in self._partitions.values():
            try:
                async with self._turn:
                    # the name is made of digits by raw.ensure_partition
                    await self._connection.execute(f"vacuum (analyze, skip_locked) raw.{partition}".encode())
            except psycopg.Error as error:
                log.warning("could not vacuum raw.%s (the films are landed): %s", partition, one_line(error))

    async def end_early(self, error: BaseException, redact: Callable[[str], str]) -> None:
        """Say in the ledger what has ended the run."""
        status, text = "failed", f"{type(error).__name__}: {error}"
        if isinstance(error, asyncio.CancelledError):
            self.patience = LAST_PATIENCE
            status, text = "interrupted", "stopped by a signal"
        elif isinstance(error, ProgramError):
            text = str(error)
        if isinstance(error, LandingError):
            self.patience = 0
        try:
            await self.finish(status, redact(text))
        except (LandingError, psycopg.Error) as lost:
            # the next run finds it still marked as running, and marks it as interrupted
            log.warning("the ledger could not be closed: %s", lost)

    async def _batch(self, connection: Connection, outcomes: Sequence[Outcome]) -> None:
        run_id, day = self.begun.run_id, self.begun.snapshot_date
        rows = [outcome for outcome in outcomes if isinstance(outcome, Row)]
        failures = [outcome for outcome in outcomes if isinstance(outcome, Failure)]
        async with connection.transaction():
            days = {row.snapshot_date or day for row in rows}
            partitions = await batch.ensure_partitions(connection, days, self._partitions)
            written = await batch.upsert(connection, run_id, day, rows) if rows else []
            if failures:
                await batch.record(connection, run_id, day, failures)
            found = [row for row in written if row.http_status == 200]
            before = self._committed
            counts = replace(
                self.counts,
                landed=before.landed + len(found),
                not_found=before.not_found + len(written) - len(found),
                failed=before.failed + len(failures),
                bytes=before.bytes + sum(len(row.body) for row in written),
                partial=before.partial + sum(bool(row.lacking) for row in found),
                kept=before.kept + len(rows) - len(written),
            )
            await _count(connection, run_id, counts)
        self._committed = counts
        self._partitions |= partitions

    async def _patiently(self, operation: Callable[[Connection], Awaitable[T]]) -> T:
        """`operation`, which must bear repetition, once PostgreSQL is there; it is waited for `patience`
        seconds.
        """
        async with self._turn:
            since: float | None = None
            pause = 0.1
            while True:
                try:
                    if self._connection.closed:
                        await self._reconnect()
                        pause = 0.1
                    return await operation(self._connection)
                except (psycopg.Error, WarehouseError, _LockBusyError) as error:
                    if not self._may_pass(error):
                        raise
                    now = time.monotonic()
                    if since is None:
                        since = now
                        log.warning(
                            "PostgreSQL: %s; waiting up to %.0f s for it", one_line(error), self.patience
                        )
                    if now + pause > since + self.patience:
                        raise LandingError(
                            f"PostgreSQL could not be used for {self.patience:.0f} s: {one_line(error)}."
                            " What was landed stays; once it is there, run the same command:"
                            " it goes on where this run ended"
                        ) from error
                await asyncio.sleep(pause)
                pause = min(pause * 1.5, 2.0)

    def _may_pass(self, error: Exception) -> bool:
        if isinstance(error, _LockBusyError) or self._connection.closed:
            return True
        return isinstance(error, psycopg.Error) and (error.sqlstate or "").startswith(_PASSING)

    async def _reconnect(self) -> None:
        connection = await connect(patience=0)
        try:
            if not await advisory.try_take(connection, WRITER):
                raise _LockBusyError("another session holds the extractor's lock")
            if self._run is not None:
                cursor = await connection.execute(
                    "select from raw.extract_run where run_id = %s and error is distinct from %s",
                    [self._run.run_id, _DIED],
                )
                if cursor.rowcount != 1:
                    raise LandingError(
                        f"while the connection to PostgreSQL was lost, another run took over: run"
                        f" {self._run.run_id} was marked as interrupted."
                        " It ends here; what it landed stays"
                    )
        except BaseException:
            await connection.close()
            raise
        self._connection = connection
        log.warning("PostgreSQL is back")


@asynccontextmanager
async def writer() -> AsyncIterator[Landing]:
    """The landing zone that the PG* variables name, with its lock. Raises what `connection.locked` does."""
    async with locked() as connection:
        landing = Landing(connection)
        try:
            yield landing
        finally:
            # PostgreSQL may take a while to notice that a connection has ended: the next run need not wait.
            with suppress(psycopg.Error, TimeoutError):
                async with asyncio.timeout(_UNLOCK_SECONDS):
                    await landing._connection.execute("select pg_advisory_unlock(%s)", [WRITER.key])
            await landing._connection.close()


@asynccontextmanager
async def run(
    mode: str,
    parameters: dict[str, Any],
    day: date | None,
    report: Report,
    redact: Callable[[str], str] = str,
) -> AsyncIterator[Landing]:
    """A run of the block, from its line in the ledger to its end there, however the block ends. `report`
    follows its counts. Raises `RunFailedError` when the block ended well and the run has failed all the same.
    """
    async with writer() as zone:
        await zone.begin(mode, parameters, day)
        run_id = zone.begun.run_id
        report.follow(run_id, lambda: zone.counts)
        try:
            yield zone
        except BaseException as error:
            await zone.end_early(error, redact)
            raise
        summary = zone.summary()
        problem = "; ".join(filter(None, (*zone.problems, summary.counts.too_many_failed()))) or None
        await zone.finish("failed" if problem else "finished", problem)
        if summary.counts.landed:
            try:
                await zone.tidy()
            except asyncio.CancelledError:
                log.warning("did not wait for the statistics: everything is landed and the run closed")
        if problem:
            raise RunFailedError(f"run {run_id} failed: {problem}. {summary}")
        log.info("run %d finished: %s", run_id, summary)


async def unfinished(connection: Connection, day: date) -> tuple[int, ...]:
    """The runs of a snapshot date since its last finished one: what they landed need not be fetched again.

    Of every mode: a film's snapshot of that date is the same whoever asked for it.
    """
    cursor = await connection.execute(
        "select run_id from raw.extract_run where snapshot_date = %(day)s"
        " and status in ('failed', 'interrupted', 'running')"
        " and run_id > coalesce((select max(run_id) from raw.extract_run"
        " where snapshot_date = %(day)s and status = 'finished'), 0) order by run_id",
        {"day": day},
    )
    return tuple(run_id for (run_id,) in await cursor.fetchall())


async def _count(connection: Connection, run_id: int, counts: Counts) -> None:
    await connection.execute(_COUNT, asdict(counts) | {"run_id": run_id})


def _refused(row: Row, error: psycopg.Error) -> Failure:
    return Failure(
        row.resource,
        row.resource_id,
        "refused_by_postgresql",
        one_line(error)[:2000],
        row.http_status,
        row.body[:MAX_FAILED_BODY],
        row.snapshot_date,
    )
