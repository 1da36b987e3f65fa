"""Connections to the landing zone's PostgreSQL, for reading or with the writer's lock."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from extractor import schema
from extractor.schema import Connection
from warehouse import advisory
from warehouse.connection import PATIENCE

#: The writer's lock: one run at a time.
WRITER: Final = advisory.Lock(
    advisory.EXTRACTION,
    "another extractor is at work on this landing zone",
    "two at once would fetch everything twice",
    "select format('run %%s (mode %%s%%s)', run_id, mode, ', ' || snapshot_date) from raw.extract_run"
    " where status = 'running' and parameters ->> 'pid' = %(pid)s",
)


@asynccontextmanager
async def opened(*, locked: bool = False) -> AsyncIterator[Connection]:
    """A connection for looking, or with the writer's lock. Raises `LockedError` when another program has it,
    and what `connect` does.
    """
    connection = await connect()
    try:
        if locked:
            await advisory.take(connection, WRITER)
        else:
            await connection.execute("set default_transaction_read_only = on")
        yield connection
    finally:
        await connection.close()


async def connect(patience: float = PATIENCE) -> Connection:
    """A connection in autocommit mode; a server that is starting is waited for `patience` seconds. Raises
    `WarehouseError`, and `ConfigurationError` for a landing zone of a newer program.
    """
    connection = await advisory.session("extractor", patience=patience)
    try:
        await connection.execute(
            b"set client_min_messages = warning; set lock_timeout = '30s';"
            # What this program takes for landed must survive a crash of the server.
            b"select set_config('synchronous_commit', 'on', false)"
            b" where current_setting('synchronous_commit') = 'off';"
            # As raw.ensure_partition has it, where the server knows lz4.
            b"select set_config('default_toast_compression', 'lz4', false) from pg_settings"
            b" where name = 'default_toast_compression' and 'lz4' = any (enumvals)"
        )
        await schema.refuse_newer(connection)
    except BaseException:
        await connection.close()
        raise
    return connection
