"""Is it PostgreSQL itself that answers, or a pooler, which may give each transaction another connection?

Where it does (PgBouncer's ``pool_mode = transaction`` or ``statement``), two runs share one session: an
advisory lock has no force, and a temporary table or a setting turns up in somebody else's.
"""

import select
import time
from contextlib import suppress
from typing import Final

import psycopg

#: Seconds to wait for an answer that, in a pool that is used up, never comes.
_PATIENCE: Final = 5.0
#: Where others use the pool, too, one try may by chance get the process that it had.
_ROUNDS: Final = 3
_WHO: Final = b"select pg_backend_pid()"


def is_direct(connection: psycopg.Connection) -> bool:
    """Is the process that the server named at first the one that works? A pooler makes up a number."""
    return connection.info.backend_pid == _backend(connection, _WHO)


def shares_sessions(first: psycopg.Connection, second: psycopg.Connection) -> bool:
    """Do two connections in autocommit, to the same database, get their server processes by the transaction?

    While the second holds a process in a transaction, the first asks for its own: in a pool of transactions
    that is now another one, or, where the pool has no more, none. Neither is to be used afterwards.
    """
    own = _backend(first, _WHO)
    for _ in range(_ROUNDS):
        held = _backend(second, b"begin;" + _WHO)
        # PgBouncer refuses a transaction where it pools by the statement: then there is no number
        if held in (own, None) or _backend(first, _WHO) != own:
            return True
        _backend(second, b"rollback;" + _WHO)
    return False


def _backend(connection: psycopg.Connection, statements: bytes) -> int | None:
    """The number that the last of the statements gives; None for an error, or no answer in time."""
    raw = connection.pgconn
    deadline = time.monotonic() + _PATIENCE
    number = None
    with suppress(psycopg.OperationalError):  # after an error the pooler may hang up
        raw.send_query(statements)
        raw.flush()
        while True:
            while raw.is_busy():
                ready, _, _ = select.select([raw.socket], [], [], max(deadline - time.monotonic(), 0))
                if not ready:
                    return None
                raw.consume_input()
            result = raw.get_result()
            if result is None:
                return number
            number = int(result.get_value(0, 0) or 0) or None
    return None
