"""The landing zone in PostgreSQL: lock, ledger, batches (`schema` defines the tables).

One writer at a time, by a session-level advisory lock on the one connection that this module holds. A batch
is one transaction: COPY into a temporary table, one upsert, its failures, and the ledger's counts as they are
after it. The counts are set, not added to, and a failure is unique in its run: so a batch whose commit was in
doubt when the connection broke is simply written again.
"""

import asyncio
import logging
import os
import re
import socket
import struct
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, Final, TypeVar

import psycopg
from psycopg.types.json import Jsonb

from extractor import schema
from extractor.errors import ConfigurationError, ExtractorError, LandingError, LockedError
from extractor.schema import Connection
from extractor.tmdb import Failure, Outcome, Row

log = logging.getLogger(__name__)

T = TypeVar("T")

#: The advisory lock's key in its database: "tmdb-elt" as a number.
LOCK_KEY: Final = int.from_bytes(b"tmdb-elt", "big")


@dataclass(frozen=True)
class Lock:
    """An advisory lock of the database: its key, what its holder is doing, and what two at once would do."""

    key: int
    holder: str
    harm: str


#: The writer's: one run at a time.
WRITER: Final = Lock(
    LOCK_KEY,
    "another extractor is at work on this landing zone",
    "two at once would fetch everything twice",
)
#: A run with a larger share of failures than this has failed.
TOLERATED: Final = 0.01
#: How long PostgreSQL is waited for when it went away during a run, s.
PATIENCE: Final = 60.0
#: How long a connection of a program that is gone may still hold the lock, s.
_LINGER: Final = 3.0
_LINGER_DEAD: Final = 15.0
#: How long giving the lock back may take, s.
_UNLOCK: Final = 1.0

#: SQLSTATE classes that may pass: connection, rollback, resources (a full disk), operator, system; and two
#: codes: a lock not had in time, a server that is read-only during a failover.
_PASSING: Final = ("08", "40", "53", "57", "58", "55P03", "25006")
#: What PostgreSQL can refuse in one row: data, integrity, limits.
_REFUSED: Final = ("22", "23", "54")

#: How long PostgreSQL is waited for once a signal has come, s.
LAST_PATIENCE: Final = 2.0

#: What the ledger says of a run that was found still marked as running.
_DIED: Final = "ended without a word: killed, or its machine stopped"

_COPY_HEADER: Final = b"PGCOPY\n\xff\r\n\x00" + struct.pack("!ii", 0, 0)
_COPY_TRAILER: Final = struct.pack("!h", -1)
_NULL: Final = struct.pack("!i", -1)
_ID_AND_STATUS: Final = struct.Struct("!iqih")
_LENGTH: Final = struct.Struct("!i")
_DATE: Final = struct.Struct("!ii")
#: PostgreSQL's first day.
_EPOCH: Final = date(2000, 1, 1)

_BATCH_TABLE: Final = b"""
create temporary table if not exists landing_batch (
    resource text, resource_id bigint, http_status smallint, payload jsonb, alteration text, selected_by text,
    snapshot_date date
)
-- most payloads stay as they are here, and are compressed once, on their way on (measured: 20 % less CPU)
with (toast_tuple_target = 8160) on commit delete rows
"""

_UPSERT: Final = """
insert into raw.tmdb_response as landed (
    resource, resource_id, snapshot_date, http_status, payload,
    run_id, load_id, landed_at, alteration, selected_by
)
select
    resource, resource_id, coalesce(snapshot_date, %(date)s), http_status, payload,
    %(run)s, %(load)s, now(), alteration, selected_by
from landing_batch
on conflict (resource, snapshot_date, resource_id) do update set
    http_status = excluded.http_status,
    payload = excluded.payload,
    run_id = excluded.run_id,
    load_id = excluded.load_id,
    landed_at = excluded.landed_at,
    alteration = excluded.alteration,
    selected_by = case
        when landed.selected_by = 'popular' or excluded.selected_by = 'load' then landed.selected_by
        else excluded.selected_by
    end
"""

#: A load leaves alone what is landed already as it is (but not its own: a batch whose commit was in doubt),
#: and a full payload where it has one without credits: it can't ask TMDB for them again.
_UNLESS_LANDED: Final = """
where landed.run_id = %(run)s or (
    (
        (landed.http_status, landed.payload, landed.alteration)
        is distinct from (excluded.http_status, excluded.payload, excluded.alteration)
        or (landed.selected_by <> 'popular' and excluded.selected_by not in ('load', landed.selected_by))
    )
    and not (landed.payload ? 'credits' and excluded.http_status = 200 and not excluded.payload ? 'credits')
)
"""

_RETURNING: Final = "returning resource, resource_id, snapshot_date"


@dataclass(frozen=True)
class Counts:
    """The ledger's counts; `bytes` of JSON text."""

    requested: int = 0
    landed: int = 0
    not_found: int = 0
    failed: int = 0
    retried: int = 0
    bytes: int = 0

    def plus(self, outcomes: Sequence[Outcome]) -> "Counts":
        """These counts after `outcomes` were written."""
        rows = [outcome for outcome in outcomes if isinstance(outcome, Row)]
        landed = sum(row.http_status == 200 for row in rows)
        return replace(
            self,
            landed=self.landed + landed,
            not_found=self.not_found + len(rows) - landed,
            failed=self.failed + len(outcomes) - len(rows),
            bytes=self.bytes + sum(len(row.body) for row in rows),
        )

    def too_many_failed(self, requested: int) -> str | None:
        """What to say when so many of the requested failed that the run has failed."""
        if self.failed <= TOLERATED * requested:
            return None
        return (
            f"{self.failed:,} of {requested:,} could not be landed, more than {TOLERATED:.0%}"
            " (raw.extract_failure has each with its reason; extractor status sums them up)"
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
    """An open landing zone with the writer's lock. Use `opened`."""

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
                raise LandingError(f"PostgreSQL refused a batch of films: {_said(error)}") from error
            if len(outcomes) > 1:
                half = len(outcomes) // 2
                await self.write(outcomes[:half], requested, retried)
                await self.write(outcomes[half:], requested, retried)
                return
            (row,) = outcomes
            if not isinstance(row, Row):
                raise LandingError(f"PostgreSQL refused a failure's record: {_said(error)}") from error
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
                log.warning("could not vacuum raw.%s (the films are landed): %s", partition, _said(error))

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
            text = str(error) if isinstance(error, ExtractorError) else f"{type(error).__name__}: {error}"
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
        partitions: dict[date, str] = {}
        async with connection.transaction():
            if rows:
                partitions = await self._ensured(connection, rows)
                rows = await _upsert(connection, run, rows)
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
            counts = replace(self._committed.plus([*rows, *failures]), requested=requested, retried=retried)
            await _count(connection, run, counts)
        self._committed = counts
        self._partitions |= partitions

    async def _ensured(self, connection: Connection, rows: Sequence[Row]) -> dict[date, str]:
        """The partitions of `rows` that were not written to before, made where they are missing."""
        dates = {row.snapshot_date or self._running().snapshot_date for row in rows}
        months = {day.replace(day=1) for day in dates if day} - self._partitions.keys()
        partitions = {}
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
                except (psycopg.Error, _LockBusyError) as error:
                    if not self._may_pass(error):
                        raise
                    now = time.monotonic()
                    if since is None:
                        since = now
                        log.warning(
                            "PostgreSQL: %s; waiting up to %.0f s for it", _said(error), self.patience
                        )
                    if now + pause > since + self.patience:
                        raise LandingError(
                            f"PostgreSQL could not be used for {self.patience:.0f} s: {_said(error)}."
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
        connection = await _connect()
        try:
            if not await _try_lock(connection):
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
async def opened() -> AsyncIterator[Landing]:
    """The landing zone that the PG* variables name, with its lock.

    Raises `LockedError` when another extractor has it, `ConfigurationError` for a wrong password, user or
    database, `LandingError` when PostgreSQL can't be reached.
    """
    landing = Landing(await _locked_connection())
    try:
        yield landing
    finally:
        # PostgreSQL may take a while to notice that a connection has ended; the next run need not wait for it
        with suppress(psycopg.Error, TimeoutError):
            async with asyncio.timeout(_UNLOCK):
                await landing._connection.execute("select pg_advisory_unlock(%s)", [LOCK_KEY])
        await landing._connection.close()


@asynccontextmanager
async def read_only() -> AsyncIterator[Connection]:
    """A connection for looking, without the lock."""
    connection = await _first_connection()
    try:
        await connection.execute("set default_transaction_read_only = on")
        yield connection
    finally:
        await connection.close()


@asynccontextmanager
async def locked(lock: Lock = WRITER) -> AsyncIterator[Connection]:
    """A connection with a lock, by default the writer's, for work that is no run.

    Raises what `opened` does.
    """
    connection = await _locked_connection(lock)
    try:
        yield connection
    finally:
        await connection.close()


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


async def _upsert(connection: Connection, run: Run, rows: Sequence[Row]) -> list[Row]:
    """Write `rows`; those that were written, which for a load are those that were not there as they are."""
    await connection.execute(_BATCH_TABLE)
    async with connection.cursor().copy("copy landing_batch from stdin with (format binary)") as copy:
        await copy.write(binary_copy(rows))
    cursor = await connection.execute("select nextval('raw.load_id_seq')")
    ((load_id,),) = await cursor.fetchall()
    is_load = run.snapshot_date is None
    cursor = await connection.execute(
        (_UPSERT + (_UNLESS_LANDED + _RETURNING) * is_load).encode(),
        {"date": run.snapshot_date, "run": run.run_id, "load": load_id},
    )
    if not is_load:
        return list(rows)
    written = set(await cursor.fetchall())
    return [row for row in rows if (row.resource, row.resource_id, row.snapshot_date) in written]


def binary_copy(rows: Sequence[Row]) -> bytes:
    """`rows` in PostgreSQL's binary COPY format, for the temporary table: the JSON goes in as it came."""
    parts = [_COPY_HEADER]
    for row in rows:
        resource = row.resource.encode()
        selected_by = row.selected_by.encode()
        parts += (
            b"\x00\x07",
            _LENGTH.pack(len(resource)),
            resource,
            _ID_AND_STATUS.pack(8, row.resource_id, 2, row.http_status),
            _LENGTH.pack(len(row.body) + 1),
            b"\x01",  # jsonb's version
            row.body,
        )
        if row.alteration is None:
            parts.append(_NULL)
        else:
            alteration = row.alteration.encode()
            parts += (_LENGTH.pack(len(alteration)), alteration)
        parts += (_LENGTH.pack(len(selected_by)), selected_by)
        if row.snapshot_date is None:
            parts.append(_NULL)
        else:
            parts.append(_DATE.pack(4, (row.snapshot_date - _EPOCH).days))
    parts.append(_COPY_TRAILER)
    return b"".join(parts)


async def _count(connection: Connection, run: Run, counts: Counts) -> None:
    await connection.execute(
        "update raw.extract_run set requested = %s, landed = %s, not_found = %s, failed = %s,"
        " retried = %s, bytes = %s"
        " where run_id = %s",
        [
            counts.requested,
            counts.landed,
            counts.not_found,
            counts.failed,
            counts.retried,
            counts.bytes,
            run.run_id,
        ],
    )


def _refused(row: Row, error: psycopg.Error) -> Failure:
    return Failure(
        row.resource,
        row.resource_id,
        "refused_by_postgresql",
        _said(error)[:2000],
        row.http_status,
        row.body[: 64 << 10],
        row.snapshot_date,
    )


async def _connect() -> Connection:
    connection: Connection = await psycopg.AsyncConnection.connect(
        autocommit=True,
        connect_timeout=10,
        application_name=f"tmdb-elt extractor pid={os.getpid()} host={socket.gethostname()[:24]}",
        # a server that vanished without a word is noticed in half a minute
        keepalives_idle=10,
        keepalives_interval=5,
        keepalives_count=3,
        tcp_user_timeout=30_000,
    )
    try:
        await connection.execute(
            b"set client_min_messages = warning; set lock_timeout = '30s'; set timezone = 'UTC';"
            # and a client that vanished without a word does not keep the lock for hours
            b"set tcp_keepalives_idle = 30; set tcp_keepalives_interval = 10; set tcp_keepalives_count = 3;"
            # what this program takes for landed must survive a crash of the server
            b"select set_config('synchronous_commit', 'on', false)"
            b" where current_setting('synchronous_commit') = 'off';"
            # as raw.ensure_partition, where the server has it
            b"select set_config('default_toast_compression', 'lz4', false) from pg_settings"
            b" where name = 'default_toast_compression' and 'lz4' = any (enumvals)"
        )
    except BaseException:
        await connection.close()
        raise
    return connection


async def _first_connection() -> Connection:
    deadline = time.monotonic() + PATIENCE
    told = False
    while True:
        try:
            connection = await _connect()
            break
        except psycopg.OperationalError as error:
            starting = re.search("starting up|shutting down|recovery", str(error))
            if starting and time.monotonic() < deadline:
                if not told:
                    log.warning("%s; waiting up to %.0f s for it", _said(error), PATIENCE)
                told = True
                await asyncio.sleep(0.5)
                continue
            raise _cannot_connect(error) from error
    if connection.info.parameter_status("server_encoding") != "UTF8":
        name = connection.info.dbname
        await connection.close()
        raise ConfigurationError(
            f"the database {name} is not UTF8-encoded: TMDB's text would not fit."
            " Make one with: create database … encoding 'UTF8' template template0"
        )
    try:
        await schema.refuse_newer(connection)
    except BaseException:
        await connection.close()
        raise
    return connection


def _cannot_connect(error: psycopg.OperationalError) -> ConfigurationError | LandingError:
    names = ("PGHOST", "PGPORT", "PGUSER", "PGDATABASE")
    where = ", ".join(f"{name}={os.environ[name]}" for name in names if os.environ.get(name))
    said = _said(error)
    # the server tells no SQLSTATE here
    if re.search("authentication failed|no password supplied|does not exist|no pg_hba.conf entry", said):
        return ConfigurationError(
            f"PostgreSQL refused the connection ({where}): {said}. Check PGUSER, PGPASSWORD, PGDATABASE"
        )
    return LandingError(
        f"cannot reach PostgreSQL ({where}): {said}. Is it running, and are PGHOST and PGPORT right?"
    )


async def _try_lock(connection: Connection, lock: Lock = WRITER) -> bool:
    cursor = await connection.execute("select pg_try_advisory_lock(%s)", [lock.key])
    ((held,),) = await cursor.fetchall()
    return bool(held)


async def _locked_connection(lock: Lock = WRITER) -> Connection:
    connection = await _first_connection()
    try:
        started = time.monotonic()
        while not await _try_lock(connection, lock):
            holder = await _holder(connection, lock)
            waited = time.monotonic() - started
            if holder.alive is True or waited > (_LINGER if holder.alive is None else _LINGER_DEAD):
                raise LockedError(
                    f"{lock.holder}: {holder.words}. Wait until it has ended, or stop it; {lock.harm}"
                )
            await asyncio.sleep(0.1)  # of a killed program, the server's session lingers for a moment
    except BaseException:
        await connection.close()
        raise
    return connection


@dataclass(frozen=True)
class _Holder:
    words: str
    #: None: not known, because it is on another machine
    alive: bool | None


async def _holder(connection: Connection, lock: Lock) -> _Holder:
    cursor = await connection.execute(
        "select application_name, to_char(backend_start at time zone 'UTC', 'YYYY-MM-DD HH24:MI:SS')"
        " from pg_locks join pg_stat_activity using (pid)"
        " where locktype = 'advisory' and granted and database = (select oid from pg_database"
        " where datname = current_database()) and (classid::bigint << 32 | objid::bigint) = %s",
        [lock.key],
    )
    rows = await cursor.fetchall()
    if not rows:  # gone meanwhile
        return _Holder("it has just ended, try again", None)
    name, since = rows[0]
    matched = re.search(r"pid=(\d+) host=(\S+)", name or "")
    if not matched:
        return _Holder(f"session {name!r}, since {since} UTC", True)
    run = ""
    cursor = await connection.execute("select to_regclass('raw.extract_run') is not null")
    if await cursor.fetchall() == [(True,)]:
        cursor = await connection.execute(
            "select run_id, mode, snapshot_date from raw.extract_run where status = 'running'"
            " and parameters ->> 'pid' = %s",
            [matched[1]],
        )
        run = "".join(
            f"run {run_id} (mode {mode}{f', {day}' if day else ''}), "
            for run_id, mode, day in await cursor.fetchall()
        )
    here = matched[2] == socket.gethostname()[:24]
    return _Holder(
        f"{run}process {matched[1]} on {matched[2]}, since {since} UTC",
        _is_alive(int(matched[1])) if here else None,
    )


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _said(error: Exception) -> str:
    """What PostgreSQL said, on one line."""
    return " ".join(str(error).split()).rstrip(".") or type(error).__name__
