"""Connections to the landing zone's PostgreSQL, and the locks that keep two programs apart.

A lock is a session-level advisory lock, so it ends with the connection, however its holder ended.
"""

import asyncio
import os
import re
import socket
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

import warehouse
from extractor import schema
from extractor.errors import LockedError
from extractor.schema import Connection
from warehouse import advisory

#: How long PostgreSQL is waited for while it starts, or when it went away during a run, s.
PATIENCE: Final = 60.0
#: How long the session of a holder that is gone may still hold the lock, s; the shorter time where it can't
#: be known whether it is gone, because it was on another machine.
_LINGER_GONE: Final = 15.0
_LINGER_UNKNOWN: Final = 3.0


@dataclass(frozen=True)
class Lock:
    """An advisory lock of the database: its key, what its holder is doing, and what two at once would do."""

    key: int
    holder: str
    harm: str


#: The writer's: one run at a time.
WRITER: Final = Lock(
    advisory.EXTRACTION,
    "another extractor is at work on this landing zone",
    "two at once would fetch everything twice",
)


@asynccontextmanager
async def read_only() -> AsyncIterator[Connection]:
    """A connection for looking, without the lock. Raises what `locked` does, but never `LockedError`."""
    connection = await first_connection()
    try:
        await connection.execute("set default_transaction_read_only = on")
        yield connection
    finally:
        await connection.close()


@asynccontextmanager
async def locked(lock: Lock = WRITER) -> AsyncIterator[Connection]:
    """A connection with a lock, by default the writer's, for work that is no run.

    Raises `LockedError` when another program has it, `WarehouseError` when PostgreSQL can't be reached.
    """
    connection = await locked_connection(lock)
    try:
        yield connection
    finally:
        await connection.close()


async def locked_connection(lock: Lock = WRITER) -> Connection:
    """As `locked`, for whoever closes the connection himself.

    The session of a killed program lingers on the server for a moment: a holder that is gone, or may be, is
    waited for; one that is at work is not.
    """
    connection = await first_connection()
    try:
        started = time.monotonic()
        while not await try_lock(connection, lock):
            holder = await _holder(connection, lock)
            waited = time.monotonic() - started
            if holder.alive is True or waited > (_LINGER_UNKNOWN if holder.alive is None else _LINGER_GONE):
                raise LockedError(
                    f"{lock.holder}: {holder.described}. Wait until it has ended, or stop it; {lock.harm}"
                )
            await asyncio.sleep(0.1)
    except BaseException:
        await connection.close()
        raise
    return connection


async def try_lock(connection: Connection, lock: Lock = WRITER) -> bool:
    """Take the lock if it is free."""
    cursor = await connection.execute("select pg_try_advisory_lock(%s)", [lock.key])
    ((held,),) = await cursor.fetchall()
    return bool(held)


async def first_connection() -> Connection:
    """A connection to a landing zone that this program can use; waits for a server that is starting."""
    connection = await connect(patience=PATIENCE)
    try:
        await schema.refuse_newer(connection)
    except BaseException:
        await connection.close()
        raise
    return connection


async def connect(patience: float = 0) -> Connection:
    """A connection in autocommit mode, with the session's settings; a server that is starting is waited for
    `patience` seconds. Raises `WarehouseError`.
    """
    connection: Connection = await warehouse.connect_async(
        patience=patience,
        application_name=f"tmdb-elt extractor pid={os.getpid()} host={_host()}",
        # A server that vanished without a word is noticed in half a minute.
        keepalives_idle=10,
        keepalives_interval=5,
        keepalives_count=3,
        tcp_user_timeout=30_000,
    )
    try:
        await connection.execute(
            b"set client_min_messages = warning; set lock_timeout = '30s';"
            # A client that vanished without a word does not keep the lock for hours.
            b"set tcp_keepalives_idle = 30; set tcp_keepalives_interval = 10; set tcp_keepalives_count = 3;"
            # What this program takes for landed must survive a crash of the server.
            b"select set_config('synchronous_commit', 'on', false)"
            b" where current_setting('synchronous_commit') = 'off';"
            # As raw.ensure_partition has it, where the server knows lz4.
            b"select set_config('default_toast_compression', 'lz4', false) from pg_settings"
            b" where name = 'default_toast_compression' and 'lz4' = any (enumvals)"
        )
    except BaseException:
        await connection.close()
        raise
    return connection


def one_line(error: Exception) -> str:
    """What PostgreSQL said, on one line."""
    return " ".join(str(error).split()).rstrip(".") or type(error).__name__


def _host() -> str:
    """This machine's name, as far as it fits into the session's name."""
    return socket.gethostname()[:24]


@dataclass(frozen=True)
class _Holder:
    described: str
    #: None: not known, because it is on another machine.
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
    if await schema.exists(connection, "raw.extract_run"):
        cursor = await connection.execute(
            "select run_id, mode, snapshot_date from raw.extract_run where status = 'running'"
            " and parameters ->> 'pid' = %s",
            [matched[1]],
        )
        run = "".join(
            f"run {run_id} (mode {mode}{f', {day}' if day else ''}), "
            for run_id, mode, day in await cursor.fetchall()
        )
    here = matched[2] == _host()
    return _Holder(
        f"{run}process {matched[1]} on {matched[2]}, since {since} UTC",
        _is_alive(int(matched[1])) if here else None,
    )


def _is_alive(pid: int) -> bool:
    """Is the process of a lock's holder, on this machine, still there?

    One with this process's own number is not: a container that was restarted counts its processes anew, and
    the holder is the one that had the number before.
    """
    if pid == os.getpid():
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
