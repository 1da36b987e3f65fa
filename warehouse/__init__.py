"""The PostgreSQL to work on: the one that ``PGHOST`` names, or else an embedded PostgreSQL 16.

Everything else in the project reads libpq's own ``PG*`` variables and cannot tell the two apart.
"""

from warehouse.connection import ensure, overlay
from warehouse.errors import WarehouseError

__all__ = ["WarehouseError", "ensure", "overlay"]
