"""Asks the warehouse what the cards ask, read-only and all in one snapshot."""

import datetime as dt
import decimal
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from queue import SimpleQueue
from typing import Any

import psycopg
from psycopg import errors, sql
from psycopg.rows import tuple_row

import warehouse
from metabase.errors import DashboardError, UsageError
from metabase.template import Value
from warehouse.roles import READER

MOST_ROWS = 2000
"""Rows of an answer. Metabase cuts a native query there, too, so both show the same."""
_INTEGERS = {"int2", "int4", "int8"}
_NUMBERS = {"numeric", "float4", "float8"}

Cell = str | int | float | bool | None


class CardError(DashboardError):
    """A card's SQL failed: PostgreSQL's own words."""


@dataclass(frozen=True)
class Column:
    """A column of a result; `type` is integer, number, date, timestamp, boolean or text."""

    name: str
    type: str


@dataclass(frozen=True)
class Rows:
    """A result as JSON can hold it: dates as ISO text, numbers as int or float.

    `total` counts the rows that were cut off, too.
    """

    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    total: int


@dataclass(frozen=True)
class Extent:
    """The database, and the dates of its data: the newest (None: there is none yet), and how many."""

    database: str
    last: dt.date | None
    days: int


class Reader:
    """Read-only transactions that see the same, one for each query that may run at once; see `connect`."""

    def __init__(self, connections: list[psycopg.Connection[Any]], seconds: int) -> None:
        self.at_once = len(connections)
        self._free: SimpleQueue[psycopg.Connection[Any]] = SimpleQueue()
        for connection in connections:
            self._free.put(connection)
        self._seconds = seconds

    @contextmanager
    def _connection(self) -> Iterator[psycopg.Connection[Any]]:
        """A connection that no other thread asks, in a savepoint: one card's mistake must not end the others'
        transaction.
        """
        connection = self._free.get()
        try:
            with connection.transaction():
                yield connection
        finally:
            self._free.put(connection)

    def rows(self, query: str, parameters: Mapping[str, Value], limit: int = MOST_ROWS) -> Rows:
        """At most `limit` rows of a query. Threads may ask at once. Raises `CardError` with PostgreSQL's
        message.
        """
        try:
            with self._connection() as connection, connection.cursor(row_factory=tuple_row) as cursor:
                cursor.execute(query.encode(), dict(parameters))
                columns = tuple(
                    Column(column.name, _type(connection, column.type_code))
                    for column in cursor.description or ()
                )
                found = tuple(tuple(_cell(value) for value in row) for row in cursor.fetchmany(limit))
                return Rows(columns, found, cursor.rowcount)
        except psycopg.OperationalError as error:
            if isinstance(error, errors.QueryCanceled):
                raise CardError(f"it took longer than {self._seconds} s") from error
            if not connection.closed:
                raise CardError(str(error).strip()) from error
            message = f"PostgreSQL ended the connection: {str(error).strip()}. Try again"
            raise DashboardError(message) from error
        except psycopg.Error as error:
            raise CardError(str(error).strip()) from error

    def extent(self, relation: str, column: str) -> Extent:
        """The dates in a column. Raises `UsageError` when the table was never built."""
        query = sql.SQL("select max({0}), count(distinct {0}) from {1}").format(
            sql.Identifier(column), sql.Identifier(*relation.split("."))
        )
        try:
            with self._connection() as connection:
                database = connection.info.dbname
                last, days = connection.execute(query).fetchone() or (None, 0)
        except (errors.UndefinedTable, errors.InvalidSchemaName) as error:
            raise UsageError(
                f"the database {database} has no tables of this project yet ({relation} is "
                "missing): `make elt` fills it; `make demo` fills tmdb_demo, without an account"
            ) from error
        return Extent(database, last, days)


def _type(connection: psycopg.Connection[Any], oid: int) -> str:
    info = connection.adapters.types.get(oid)
    name = info.name if info else "text"
    if name in _INTEGERS:
        return "integer"
    if name in _NUMBERS:
        return "number"
    if name in ("timestamp", "timestamptz"):
        return "timestamp"
    return {"date": "date", "bool": "boolean"}.get(name, "text")


@contextmanager
def connect(schemas: Iterable[str] = (), seconds: int = 60, at_once: int = 1) -> Iterator[Reader]:
    """A reader of the database that the PG* variables name, as the reader's role where it can; it carries out
    so many queries `at_once`.

    That role is taken when the server has it, we may become it, and it may use all of `schemas`. A statement
    may take `seconds`. Raises `DashboardError` when the database can't be reached.
    """
    connections: list[psycopg.Connection[Any]] = []
    with ExitStack() as opened:
        while len(connections) < at_once:
            try:
                connection = opened.enter_context(warehouse.connect(application_name="preview"))
            except warehouse.WarehouseError as error:
                raise DashboardError(str(error)) from error
            connection.execute(
                "set default_transaction_read_only = on;"
                " set default_transaction_isolation = 'repeatable read';"
                # a query whose asker is gone ends soon, instead of at its timeout
                f" set statement_timeout = '{seconds}s'; set client_connection_check_interval = '2s';"
                " set jit = off".encode()
            )
            opened.enter_context(connection.transaction())
            if connections:  # they see what the first one sees
                (snapshot,) = connections[0].execute("select pg_export_snapshot()").fetchone() or ("",)
                connection.execute(sql.SQL("set transaction snapshot {}").format(sql.Literal(snapshot)))
            connections.append(connection)
        for connection in connections:
            _become_reader(connection, list(schemas))
        yield Reader(connections, seconds)


def _become_reader(connection: psycopg.Connection[Any], schemas: list[str]) -> None:
    """A server without that role, or one that won't let us be it, leaves us who we are: read-only anyhow."""
    with suppress(psycopg.Error), connection.transaction():
        found = connection.execute(
            "select bool_and(has_schema_privilege(%s, oid, 'usage'))"
            " from pg_namespace where nspname = any(%s)",
            (READER, schemas),
        ).fetchone()
        if found and found[0]:
            connection.execute(f"set local role {READER}".encode())


def _cell(value: object) -> Cell:
    if value is None or isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, decimal.Decimal):
        if not value.is_finite():
            return None
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, float):
        # JSON has neither NaN nor infinity
        return value if value - value == 0 else None
    if isinstance(value, (dt.date, dt.datetime)):
        return value.isoformat()
    return str(value)
