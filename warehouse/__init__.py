"""The PostgreSQL to work on: the one that ``PGHOST`` names, or else an embedded PostgreSQL 16.

``ensure`` settles and checks once what libpq's own ``PG*`` variables name; everything else in the project
reads these as it leaves them, and cannot tell the two apart.
"""

from warehouse.connection import connect, connect_async, ensure, enter, is_external, named, overlay
from warehouse.errors import UsageError, WarehouseError

__all__ = [
    "UsageError",
    "WarehouseError",
    "connect",
    "connect_async",
    "ensure",
    "enter",
    "is_external",
    "named",
    "overlay",
]
