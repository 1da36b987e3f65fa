"""The landing zone's ledger and its writer (`schema` defines the tables, `connection` holds the lock).

A batch is one transaction: COPY into a temporary table, one upsert, its failures, and the ledger's counts as
they are after it. The counts are set, not added to, and a failure is unique in its run: so a batch whose
commit was in doubt when the connection broke is simply written again.

The statements are such that Citus takes them, too: no parameter in what a worker executes, no lateral join of
a distributed table.
"""

import asyncio
import logging
import os
import socket
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, Final, TypeVar

import psycopg
from psycopg.abc import Buffer
from psycopg.adapt import Dumper
from psycopg.pq import Format
from psycopg.types.json import Jsonb

from common.errors import ProgramError
from common.report import Counts
from extractor import schema
from extractor.answer import BLOCKS
from extractor.connection import PATIENCE, connect, locked_connection, one_line, try_lock
from extractor.errors import LandingError
from extractor.rows import MAX_FAILED_BODY, Failure, Outcome, Row
from extractor.schema import Connection
from warehouse import WarehouseError
from warehouse.advisory import EXTRACTION

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

_BATCH_TABLE: Final = b"""
create temporary table if not exists landing_batch (
    resource text, resource_id bigint, http_status smallint, payload jsonb, alteration text, selected_by text,
    snapshot_date date, language text
)
-- most payloads stay as they are here, and are compressed once, on their way on (measured: 20 % less CPU)
with (toast_tuple_target = 8160) on commit delete rows
"""

_COPY: Final = b"""
copy landing_batch (
    resource, resource_id, http_status, payload, alteration, selected_by, snapshot_date, language
) from stdin with (format binary)
"""
_COPY_TYPES: Final = ("text", "int8", "int2", "jsonb", "text", "text", "date", "text")

_BLOCK_NAMES: Final = ", ".join(f"'{name}'" for name in BLOCKS)
#: Would the new payload lose a block that the landed one has?
_IS_LESSER: Final = f"""
(
    excluded.http_status = 200 and landed.payload ?| array[{_BLOCK_NAMES}] and (
        {" or ".join(f"landed.payload ? '{name}' and not excluded.payload ? '{name}'" for name in BLOCKS)}
    )
)
"""

_UPSERT: Final = f"""
insert into raw.tmdb_response as landed (
    resource, resource_id, snapshot_date, http_status, payload,
    run_id, load_id, landed_at, alteration, selected_by, language
)
select
    resource, resource_id, coalesce(snapshot_date, %(date)s), http_status, payload,
    %(run)s, %(load)s, now(), alteration, selected_by, language
from landing_batch
on conflict (resource, snapshot_date, resource_id) do update set
    http_status = excluded.http_status,
    payload = excluded.payload,
    run_id = excluded.run_id,
    load_id = excluded.load_id,
    landed_at = excluded.landed_at,
    alteration = excluded.alteration,
    language = excluded.language,
    selected_by = case
        when landed.selected_by = 'popular' or excluded.selected_by = 'load' then landed.selected_by
        else excluded.selected_by
    end
where not {_IS_LESSER}
"""  # noqa: S608 (our own table's names)

#: A load also leaves alone what is landed already as it is; but not its own, because a batch whose commit was
#: in doubt is written again.
_UNLESS_LANDED: Final = """
and (
    landed.run_id = excluded.run_id
    or (landed.http_status, landed.payload, landed.alteration, landed.language)
    is distinct from (excluded.http_status, excluded.payload, excluded.alteration, excluded.language)
    or (landed.selected_by <> 'popular' and excluded.selected_by not in ('load', landed.selected_by))
)
"""


class _JsonText(Dumper):
    """JSON that is text already, as psycopg's binary COPY wants a jsonb: it goes in as TMDB sent it."""

    format = Format.BINARY
    oid = psycopg.adapters.types["jsonb"].oid

    def dump(self, obj: bytes) -> Buffer:
        return b"\x01" + obj


def _plus(counts: Counts, written: Sequence[Row], kept: int, failures: int) -> Counts:
    """The counts after a batch: rows `written`, rows that were `kept` as they were, and failures."""
    found = [row for row in written if row.http_status == 200]
    return replace(
        counts,
        landed=counts.landed + len(found),
        not_found=counts.not_found + len(written) - len(found),
        failed=counts.failed + failures,
        bytes=counts.bytes + sum(len(row.body) for row in written),
        partial=counts.partial + sum(bool(row.lacking) for row in found),
        kept=counts.kept + kept,
    )


@dataclass(frozen=True)
class Run:
    """A run's line in the ledger. `snapshot_date`: none for a load, whose rows bring theirs. `resumes`:
    unfinished runs of its date, whose films it need not fetch.
    """

    run_id: int
    snapshot_date: date | None
    resumes: tuple[int, ...]


class _LockBusyError(Exception):
    """Another session has the lock; it may be the one of our own lost connection."""


class Landing:
    """An open landing zone with the writer's lock. Use `writer`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._turn = asyncio.Lock()
        self._run: Run | None = None
        self._committed = Counts()
        # those that were written to, by the first day of their month
        self._partitions: dict[date, str] = {}
        self.patience = PATIENCE

    @property
    def committed(self) -> Counts:
        """What is safely in the landing zone, as the ledger says."""
        return self._committed

    async def begin(self, mode: str, parameters: dict[str, Any], day: date | None) -> Run:
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

        self._run = await self._patiently(operation)
        return self._run

    async def query(self, text: str, parameters: dict[str, Any]) -> list[tuple[Any, ...]]:
        """The rows of a query; waits for PostgreSQL like everything here."""

        async def operation(connection: Connection) -> list[tuple[Any, ...]]:
            cursor = await connection.execute(text.encode(), parameters)
            return await cursor.fetchall()

        return await self._patiently(operation)

    async def write(self, outcomes: Sequence[Outcome], requested: int, retried: int) -> None:
        """One batch. A row that PostgreSQL refuses becomes a failure and takes no other with it."""
        try:
            await self._patiently(lambda connection: self._batch(connection, outcomes, requested, retried))
        except psycopg.Error as error:
            if not (error.sqlstate or "").startswith(_REFUSED):
                raise LandingError(f"PostgreSQL refused a batch of films: {one_line(error)}") from error
            if len(outcomes) > 1:
                half = len(outcomes) // 2
                await self.write(outcomes[:half], requested, retried)
                await self.write(outcomes[half:], requested, retried)
                return
            (row,) = outcomes
            if not isinstance(row, Row):
                raise LandingError(f"PostgreSQL refused a failure's record: {one_line(error)}") from error
            await self.write([_refused(row, error)], requested, retried)

    async def finish(self, status: str, requested: int, retried: int, error: str | None = None) -> None:
        """Close the run in the ledger."""
        run = self._running()
        counts = replace(self._committed, requested=requested, retried=retried)

        async def operation(connection: Connection) -> None:
            async with connection.transaction():
                await _count(connection, run, counts)
                await connection.execute(
                    "update raw.extract_run set status = %s, error = %s, finished_at = now()"
                    " where run_id = %s",
                    [status, error, run.run_id],
                )

        await self._patiently(operation)
        self._committed = counts

    async def conclude(self, requested: int, retried: int, problem: str | None) -> None:
        """Close the run, which came to its end, in the ledger, and tidy up. `problem`: why it failed all the
        same.
        """
        await self.finish("failed" if problem else "finished", requested, retried, problem)
        if self.committed.landed:
            try:
                await self._tidy()
            except asyncio.CancelledError:
                log.warning("did not wait for the statistics: everything is landed and the run closed")

    async def _tidy(self) -> None:
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

    @asynccontextmanager
    async def closing(
        self, progress: Callable[[], tuple[int, int]], redact: Callable[[str], str] = str
    ) -> AsyncIterator[None]:
        """Whatever ends the block early, the ledger says so. `progress`: requested and retried, by then."""
        try:
            yield
        except asyncio.CancelledError:
            self.patience = LAST_PATIENCE
            await self._close("interrupted", progress(), "stopped by a signal")
            raise
        except LandingError as error:
            self.patience = 0
            await self._close("failed", progress(), str(error))
            raise
        except Exception as error:
            text = str(error) if isinstance(error, ProgramError) else f"{type(error).__name__}: {error}"
            await self._close("failed", progress(), redact(text))
            raise

    async def _close(self, status: str, progress: tuple[int, int], error: str) -> None:
        try:
            await self.finish(status, *progress, error)
        except (LandingError, psycopg.Error) as lost:
            # the next run finds it still marked as running, and marks it as interrupted
            log.warning("the ledger could not be closed: %s", lost)

    def _running(self) -> Run:
        if self._run is None:
            raise RuntimeError("no run was begun")
        return self._run

    async def _batch(
        self, connection: Connection, outcomes: Sequence[Outcome], requested: int, retried: int
    ) -> None:
        run = self._running()
        rows = [outcome for outcome in outcomes if isinstance(outcome, Row)]
        failures = [outcome for outcome in outcomes if isinstance(outcome, Failure)]
        written: Sequence[Row] = []
        partitions: dict[date, str] = {}
        async with connection.transaction():
            if rows:
                partitions = await self._ensured(connection, rows)
                written = await _upsert(connection, run, rows)
            if failures:
                await connection.cursor().executemany(
                    "insert into raw.extract_failure"
                    " (run_id, resource, resource_id, snapshot_date, reason, detail, http_status, body)"
                    " values (%s, %s, %s, %s, %s, %s, %s, %s) on conflict do nothing",
                    [
                        (
                            run.run_id,
                            failure.resource,
                            failure.resource_id,
                            failure.snapshot_date or run.snapshot_date,
                            failure.reason,
                            failure.detail.replace("\x00", "\\0"),
                            failure.http_status,
                            failure.body,
                        )
                        for failure in failures
                    ],
                )
            counts = _plus(self._committed, written, len(rows) - len(written), len(failures))
            counts = replace(counts, requested=requested, retried=retried)
            await _count(connection, run, counts)
        self._committed = counts
        self._partitions |= partitions

    async def _ensured(self, connection: Connection, rows: Sequence[Row]) -> dict[date, str]:
        """The partitions of `rows` that were not written to before, made where they are missing."""
        dates = {row.snapshot_date or self._running().snapshot_date for row in rows}
        months = {day.replace(day=1) for day in dates if day} - self._partitions.keys()
        partitions = {}
        if months:
            # On Citus a new partition and its first rows fit into one transaction only so.
            await connection.execute("select set_config('citus.multi_shard_modify_mode', 'sequential', true)")
        for month in sorted(months):
            cursor = await connection.execute("select raw.ensure_partition(%s)", [month])
            ((partitions[month],),) = await cursor.fetchall()
        return partitions

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
        connection = await connect()
        try:
            if not await try_lock(connection):
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
    landing = Landing(await locked_connection())
    try:
        yield landing
    finally:
        # PostgreSQL may take a while to notice that a connection has ended: the next run need not wait.
        with suppress(psycopg.Error, TimeoutError):
            async with asyncio.timeout(_UNLOCK_SECONDS):
                await landing._connection.execute("select pg_advisory_unlock(%s)", [EXTRACTION])
        await landing._connection.close()


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


async def _upsert(connection: Connection, run: Run, rows: Sequence[Row]) -> Sequence[Row]:
    """Write `rows`; those that were written: all but those that the landing zone has as they are (a load), or
    fuller.
    """
    await connection.execute(_BATCH_TABLE)
    cursor = connection.cursor()
    cursor.adapters.register_dumper(None, _JsonText)
    async with cursor.copy(_COPY) as copy:
        copy.set_types(_COPY_TYPES)
        for row in rows:
            await copy.write_row(
                (
                    row.resource,
                    row.resource_id,
                    row.http_status,
                    row.body,
                    row.alteration,
                    row.selected_by,
                    row.snapshot_date,
                    row.language,
                )
            )
    cursor = await connection.execute("select nextval('raw.load_id_seq')")
    ((load_id,),) = await cursor.fetchall()
    is_load = run.snapshot_date is None
    cursor = await connection.execute(
        (_UPSERT + _UNLESS_LANDED * is_load).encode(),
        {"date": run.snapshot_date, "run": run.run_id, "load": load_id},
    )
    if cursor.rowcount == len(rows):
        return rows
    cursor = await connection.execute(
        "select resource, resource_id, snapshot_date from raw.tmdb_response where load_id = %s", [load_id]
    )
    written = set(await cursor.fetchall())
    return [
        row
        for row in rows
        if (row.resource, row.resource_id, row.snapshot_date or run.snapshot_date) in written
    ]


async def _count(connection: Connection, run: Run, counts: Counts) -> None:
    await connection.execute(
        "update raw.extract_run set requested = %s, landed = %s, not_found = %s, failed = %s,"
        " retried = %s, bytes = %s, partial = %s, kept = %s"
        " where run_id = %s",
        [
            counts.requested,
            counts.landed,
            counts.not_found,
            counts.failed,
            counts.retried,
            counts.bytes,
            counts.partial,
            counts.kept,
            run.run_id,
        ],
    )


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
