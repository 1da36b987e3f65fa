"""Advisory locks in the warehouse's database: what two programs at once would break is done by one.

A session holds a lock, so it ends with the connection, however its holder ended.
"""

import asyncio
import os
import re
import socket
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any, Final

import psycopg

from warehouse.connection import PATIENCE, connect_async
from warehouse.errors import LockedError, UsageError

Connection = psycopg.AsyncConnection[tuple[Any, ...]]

EXTRACTION: Final = int.from_bytes(b"tmdb-elt", "big")
"""Held by whoever writes to the landing zone."""

DAY: Final = int.from_bytes(b"tmdb-day", "big")
"""Held by whoever builds the tables: `make elt`, `make dbt`."""

#: How long the session of a holder that is gone may still hold the lock, s; the shorter time where it can't
#: be known whether it is gone, because it was on another machine.
_LINGER_GONE: Final = 15.0
_LINGER_UNKNOWN: Final = 3.0


@dataclass(frozen=True)
class Lock:
    """A lock: its key, what its holder is doing, and what two at once would do. `details` asks the database
    what exactly the holder with the process number %(pid)s is at, in text.
    """

    key: int
    holder: str
    harm: str
    details: str | None = None


async def session(program: str, *, patience: float = PATIENCE) -> Connection:
    """A connection on which a lock can be held: it names its program and process, and neither side takes long
    to notice that the other has vanished without a word. Raises `WarehouseError`.
    """
    connection = await connect_async(
        patience=patience,
        application_name=f"tmdb-elt {program} pid={os.getpid()} host={_host()}",
        keepalives_idle=10,
        keepalives_interval=5,
        keepalives_count=3,
        tcp_user_timeout=30_000,
    )
    try:
        await connection.execute(
            b"set tcp_keepalives_idle = 30; set tcp_keepalives_interval = 10; set tcp_keepalives_count = 3"
        )
    except BaseException:
        await connection.close()
        raise
    return connection


@asynccontextmanager
async def held(lock: Lock, program: str) -> AsyncIterator[Connection]:
    """A connection of `program` that holds the lock. Raises what `session` and `take` do."""
    connection = await session(program)
    try:
        await take(connection, lock)
        yield connection
    finally:
        await connection.close()


async def take(connection: Connection, lock: Lock) -> None:
    """Take the lock. Raises `LockedError`, which says who has it, and `UsageError` where nothing can be
    written, which is what the lock is for.

    The session of a killed program lingers on the server for a moment: a holder that is gone, or may be, is
    waited for; one that is at work is not.
    """
    cursor = await connection.execute("select current_setting('transaction_read_only')")
    if await cursor.fetchone() == ("on",):
        raise UsageError(
            f"the database {connection.info.dbname} on {connection.info.host} takes no writes: it is a"
            " standby, or default_transaction_read_only is on (by PGOPTIONS, the role, the database or the"
            " server): change that, or name another server. Nothing was written"
        )
    started = time.monotonic()
    while not await try_take(connection, lock):
        described, is_alive = await _holder(connection, lock)
        waited = time.monotonic() - started
        if is_alive or waited > (_LINGER_UNKNOWN if is_alive is None else _LINGER_GONE):
            raise LockedError(f"{lock.holder}: {described}. Wait until it has ended, or stop it; {lock.harm}")
        await asyncio.sleep(0.1)


async def try_take(connection: Connection, lock: Lock) -> bool:
    """Take the lock if it is free."""
    cursor = await connection.execute("select pg_try_advisory_lock(%s)", [lock.key])
    return await cursor.fetchone() == (True,)


async def _holder(connection: Connection, lock: Lock) -> tuple[str, bool | None]:
    """Who has the lock, in words, and whether he is still there; None where that can't be known."""
    cursor = await connection.execute(
        "select application_name, to_char(backend_start at time zone 'UTC', 'YYYY-MM-DD HH24:MI:SS')"
        " from pg_locks join pg_stat_activity using (pid)"
        " where locktype = 'advisory' and granted and database = (select oid from pg_database"
        " where datname = current_database()) and (classid::bigint << 32 | objid::bigint) = %s",
        [lock.key],
    )
    found = await cursor.fetchone()
    if found is None:
        return "it has just ended, try again", None
    name, since = found
    matched = re.search(r"pid=(\d+) host=(\S+)", name or "")
    if not matched:
        return f"session {name!r}, since {since} UTC", True
    pid, host = matched.groups()
    details = []
    if lock.details is not None:
        with suppress(psycopg.errors.UndefinedTable):  # a landing zone that is being made
            cursor = await connection.execute(lock.details.encode(), {"pid": pid})
            details = [text for (text,) in await cursor.fetchall()]
    described = ", ".join([*details, f"process {pid} on {host}, since {since} UTC"])
    return described, _is_alive(int(pid)) if host == _host() else None


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


def _host() -> str:
    """This machine's name, as far as it fits into the session's name."""
    return socket.gethostname()[:24]
