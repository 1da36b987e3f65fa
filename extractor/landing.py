"""The landing zone's ledger and its writer (`schema` defines the tables, `connection` holds the lock).

A batch is one transaction: COPY into a temporary table, one upsert, its failures, and the ledger's counts as
they are after it. The counts are set, not added to, and a failure is unique in its run: so a batch whose
commit was in doubt when the connection broke is simply written again.
"""

import asyncio
import json
import logging
import os
import socket
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import asdict, replace
from datetime import date
from typing import Any, Final, TypeVar

import psycopg
from psycopg.types.json import Jsonb

from common.errors import ProgramError, one_line
from common.report import Counts, Report
from extractor import batch, schema
from extractor.connection import WRITER, connect, opened
from extractor.errors import LandingError, RunFailedError
from extractor.rows import MAX_FAILED_BODY, Failure, Outcome, Row
from extractor.schema import Connection
from warehouse import WarehouseError, advisory
from warehouse.connection import PATIENCE
from warehouse.errors import LockedError

log = logging.getLogger(__name__)

T = TypeVar("T")

#: How long giving the lock back may take, s.
_UNLOCK_SECONDS: Final = 1.0
#: How long PostgreSQL is waited for once a signal has come, s.
LAST_PATIENCE: Final = 2.0

#: SQLSTATE classes that may pass: connection, rollback, resources (a full disk), operator, system; and three
#: codes: a lock not had in time, a server that is read-only during a failover, and what Citus says of a node
#: that it lost in mid-statement (an internal error, for want of a code).
_PASSING: Final = ("08", "40", "53", "57", "58", "55P03", "25006", "XX000")
#: What PostgreSQL can refuse in one row: data, integrity, limits.
_REFUSED: Final = ("22", "23", "54")

#: What the ledger says of a run that was found still marked as running.
_DIED: Final = "ended without a word: killed, or its machine stopped"

#: A run's line in the ledger, as it is after a batch or at the end.
_LEDGER: Final = """
update raw.extract_run set status = %(status)s, error = %(error)s,
    finished_at = case when %(status)s <> 'running' then now() end,
    requested = %(requested)s, landed = %(landed)s, not_found = %(not_found)s, failed = %(failed)s,
    retried = %(retried)s, bytes = %(bytes)s, partial = %(partial)s, kept = %(kept)s
where run_id = %(run_id)s
"""


class Landing:
    """A landing zone with the writer's lock, and from `begin` on a run in it. Use `run`.

    `run_id`: 0 before. `day`: what rows land under that bring no date; None for a load, whose rows all do.
    `resumes`: unfinished runs of that day, whose films need not be fetched. `problems`: why the run has
    failed although it comes to its end. `patience` (s): how long PostgreSQL is waited for. Whoever writes
    keeps `requested` up to date, and says how to know what was `retried`.
    """

    def __init__(self, connection: Connection) -> None:
        self.run_id = 0
        self.day: date | None = None
        self.resumes: tuple[int, ...] = ()
        self.requested = 0
        self.retried: Callable[[], int] = lambda: 0
        self.problems: list[str] = []
        self.patience = PATIENCE
        self._connection = connection
        self._turn = asyncio.Lock()
        self._began = time.monotonic()
        self._committed = Counts()
        # those that were written to, by the first day of their month
        self._partitions: dict[date, str] = {}

    @property
    def counts(self) -> Counts:
        """What is safely in the landing zone, and what was asked for until now."""
        return replace(self._committed, requested=self.requested, retried=self.retried())

    @property
    def seconds(self) -> float:
        """How long the run has taken."""
        return time.monotonic() - self._began

    def __str__(self) -> str:
        counts, seconds = self.counts, self.seconds
        verb = "read" if self.day is None else "asked for"
        took = f"{seconds:,.1f} s ({counts.done / seconds:,.0f}/s)"
        return f"{counts.requested:,} {verb}: {counts} in {took}"

    async def begin(self, mode: str, parameters: dict[str, Any], day: date | None) -> None:
        """Bring the schema up to date; mark runs that died; open the run of `day` in the ledger."""

        async def operation(connection: Connection) -> tuple[int, tuple[int, ...]]:
            await schema.migrate(connection)
            async with connection.transaction():
                dead = await connection.execute(
                    "update raw.extract_run set status = 'interrupted', error = %s"
                    " where status = 'running' returning run_id",
                    [_DIED],
                )
                for (run_id,) in await dead.fetchall():
                    log.warning("run %d ended without a word: marked as interrupted", run_id)
                resumes = await unfinished(connection, day) if day else ()
                cursor = await connection.execute(
                    "insert into raw.extract_run (mode, parameters, snapshot_date, status)"
                    " values (%s, %s, %s, 'running') returning run_id",
                    [mode, Jsonb(parameters | process, _as_json), day],
                )
                ((run_id,),) = await cursor.fetchall()
            return run_id, resumes

        process = {"pid": os.getpid(), "host": socket.gethostname()}
        self._began = time.monotonic()
        self.day = day
        self.run_id, self.resumes = await self._patiently(operation)

    async def query(self, text: str, parameters: dict[str, Any]) -> list[tuple[Any, ...]]:
        """The rows of a query; waits for PostgreSQL like everything here."""

        async def operation(connection: Connection) -> list[tuple[Any, ...]]:
            cursor = await connection.execute(text.encode(), parameters)
            return await cursor.fetchall()

        return await self._patiently(operation)

    async def write(self, outcomes: Sequence[Outcome]) -> None:
        """Land one batch. A row that PostgreSQL refuses becomes a failure and takes no other with it."""
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
            said = one_line(error)
            if not isinstance(row, Row):
                raise LandingError(f"PostgreSQL refused a failure's record: {said}") from error
            about = (row.resource, row.resource_id, "refused_by_postgresql", said[:2000], row.http_status)
            await self.write([Failure(*about, row.body[:MAX_FAILED_BODY], row.snapshot_date)])

    async def finish(self, status: str, error: str | None = None) -> None:
        """Close the run in the ledger."""
        counts = self.counts
        await self._patiently(lambda connection: self._record(connection, counts, status, error))

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
        is_stopped = isinstance(error, asyncio.CancelledError)
        status, text = ("interrupted", "stopped by a signal") if is_stopped else ("failed", str(error))
        if is_stopped:
            self.patience = LAST_PATIENCE
        elif isinstance(error, LandingError):  # it was waited for long enough
            self.patience = 0
        elif not isinstance(error, ProgramError):
            text = f"{type(error).__name__}: {error}"
        try:
            await self.finish(status, one_line(redact(text)))
        except (LandingError, psycopg.Error) as lost:
            # the next run finds it still marked as running, and marks it as interrupted
            log.warning("the ledger could not be closed: %s", one_line(lost))

    async def _batch(self, connection: Connection, outcomes: Sequence[Outcome]) -> None:
        run_id, day = self.run_id, self.day
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
            await self._record(connection, counts)
        self._committed = counts
        self._partitions |= partitions

    async def _record(
        self, connection: Connection, counts: Counts, status: str = "running", error: str | None = None
    ) -> None:
        state = {"run_id": self.run_id, "status": status, "error": error}
        await connection.execute(_LEDGER, asdict(counts) | state)

    async def _patiently(self, operation: Callable[[Connection], Awaitable[T]]) -> T:
        """`operation`, which must bear repetition, once PostgreSQL is there."""
        async with self._turn:
            since: float | None = None
            pause = 0.1
            while True:
                try:
                    if self._connection.closed:
                        await self._reconnect()
                        pause = 0.1
                    return await operation(self._connection)
                except (psycopg.Error, WarehouseError) as error:
                    is_passing = (getattr(error, "sqlstate", None) or "").startswith(_PASSING)
                    # A lock that another session has may be that of our own lost connection.
                    if not (is_passing or isinstance(error, LockedError) or self._connection.closed):
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

    async def _reconnect(self) -> None:
        connection = await connect(patience=0)
        try:
            if not await advisory.try_take(connection, WRITER):
                raise LockedError("another session holds the extractor's lock")
            ours = "select from raw.extract_run where run_id = %s and error is distinct from %s"
            if self.run_id and (await connection.execute(ours, [self.run_id, _DIED])).rowcount != 1:
                raise LandingError(
                    f"while the connection to PostgreSQL was lost, another run took over: run {self.run_id}"
                    " was marked as interrupted. It ends here; what it landed stays"
                )
        except BaseException:
            await connection.close()
            raise
        self._connection = connection
        log.warning("PostgreSQL is back")


def _as_json(parameters: dict[str, Any]) -> bytes:
    """Also with the name of a file that is no UTF-8, as a jsonb can hold it."""
    return json.dumps(parameters, ensure_ascii=False).encode(errors="replace")


@asynccontextmanager
async def writer() -> AsyncIterator[Landing]:
    """The landing zone that the PG* variables name, with its lock. Raises what `opened` does."""
    async with opened(locked=True) as connection:
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
        report.follow(zone.run_id, lambda: zone.counts)
        try:
            yield zone
        except BaseException as error:
            await zone.end_early(error, redact)
            raise
        summary = str(zone)
        problem = "; ".join(filter(None, (*zone.problems, zone.counts.too_many_failed()))) or None
        await zone.finish("failed" if problem else "finished", problem)
        if zone.counts.landed:
            try:
                await zone.tidy()
            except asyncio.CancelledError:
                log.warning("did not wait for the statistics: everything is landed and the run closed")
        if problem:
            raise RunFailedError(f"run {zone.run_id} failed: {problem}. {summary}")
        log.info("run %d finished: %s", zone.run_id, summary)


async def unfinished(connection: Connection, day: date) -> tuple[int, ...]:
    """The runs of a snapshot date, of whichever mode, since its last finished one: what they landed need not
    be fetched again.
    """
    cursor = await connection.execute(
        "select run_id from raw.extract_run where snapshot_date = %(day)s"
        " and status in ('failed', 'interrupted', 'running')"
        " and run_id > coalesce((select max(run_id) from raw.extract_run"
        " where snapshot_date = %(day)s and status = 'finished'), 0) order by run_id",
        {"day": day},
    )
    return tuple(run_id for (run_id,) in await cursor.fetchall())
