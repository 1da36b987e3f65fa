"""One snapshot of the database, read by several connections at once.

A first connection holds the snapshot open and lends it to the others, which read one relation a transaction:
so all files are of one moment, and no lock is held longer than its relation is being read.
"""

import urllib.parse
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Final, Self

import adbc_driver_postgresql.dbapi as adbc
import pyarrow as pa
from adbc_driver_postgresql import StatementOptions
from psycopg import sql

import warehouse
from common.errors import ProgramError
from export.catalog import Relation
from export.columns import Column

#: Of a batch, as the driver counts: a few of them make a row group.
_BATCH_BYTES: Final = {StatementOptions.BATCH_SIZE_HINT_BYTES.value: str(4 * 2**20)}
_BEGIN: Final = "begin transaction isolation level repeatable read read only"
_NAME: Final = "tmdb-elt export"


class Snapshot:
    """A moment of the warehouse that was entered. A context manager; `connection` reads its catalog."""

    def __init__(self) -> None:
        self._idle: list[adbc.Connection] = []
        self._reading: set[adbc.Cursor] = set()
        self._stopped = False

    def __enter__(self) -> Self:
        self.connection = warehouse.connect(application_name=_NAME)
        try:
            self.connection.execute(_BEGIN.encode())
            (row,) = self.connection.execute("select pg_export_snapshot(), now(), current_database()")
        except BaseException:
            self.connection.close()
            raise
        self._lent, self.moment, self.database = row
        return self

    def __exit__(self, *_: object) -> None:
        for connection in self._idle:
            connection.close()
        self.connection.close()

    @contextmanager
    def read(
        self, relation: Relation, *, text_arrays: bool
    ) -> Iterator[tuple[pa.Schema, Iterator[pa.RecordBatch]]]:
        """The rows of a relation as Arrow batches, streamed. May be called in several threads at once.

        Raises `ProgramError`, then and while the batches are read.
        """
        columns = relation.columns
        chosen = sql.SQL(", ").join(column.expression(text_arrays=text_arrays) for column in columns)
        query = sql.SQL("select {} from {}").format(chosen, relation.sql).as_string(self.connection)
        try:
            with self._borrowed() as connection, connection.cursor() as cursor:
                self._reading.add(cursor)
                try:
                    # below the cursor's own `execute`, which takes Ctrl-C from the main thread
                    statement = cursor.adbc_statement
                    statement.set_options(**_BATCH_BYTES)
                    statement.set_sql_query(query)
                    stream, _ = statement.execute_query()
                    reader = pa.RecordBatchReader._import_from_c(stream.address)
                    schema = pa.schema([_field(column, reader.schema) for column in columns])
                    yield schema, self._converted(columns, schema, reader)
                finally:
                    self._reading.discard(cursor)
        except (adbc.Error, _ReadingError) as error:
            raise ProgramError(f"{relation.model.name} could not be read: {_first_line(error)}") from error
        except ProgramError as error:
            raise ProgramError(f"{relation.model.name}.{error}") from error

    @contextmanager
    def _borrowed(self) -> Iterator[adbc.Connection]:
        """A connection in a transaction of this snapshot, kept for the next one: the driver starts slowly."""
        connection = self._idle.pop() if self._idle else _connected()
        try:
            _execute(connection, _BEGIN, f"set transaction snapshot '{self._lent}'")
            yield connection
            _execute(connection, "commit")
        except BaseException:
            connection.close()
            raise
        self._idle.append(connection)

    def _converted(
        self, columns: Sequence[Column], schema: pa.Schema, reader: pa.RecordBatchReader
    ) -> Iterator[pa.RecordBatch]:
        while not self._stopped:
            try:
                batch = reader.read_next_batch()
            except StopIteration:
                return
            except (OSError, pa.ArrowException) as error:  # the driver's, of a connection or query that ended
                raise _ReadingError(str(error)) from error
            arrays = [column.converted(array) for column, array in zip(columns, batch.columns, strict=True)]
            yield pa.record_batch(arrays, schema=schema)
        raise _ReadingError("stopped")

    def stop(self) -> None:
        """End all reading: what waits for PostgreSQL ends there, the rest at its next batch."""
        self._stopped = True
        for cursor in list(self._reading):
            with suppress(adbc.Error):
                cursor.adbc_cancel()


class _ReadingError(Exception):
    """What the driver says while it reads."""


def _connected() -> adbc.Connection:
    # an address without a host: libpq reads the PG* variables, and with them the settings of a session
    name = urllib.parse.quote(_NAME)
    return adbc.connect(f"postgresql://?application_name={name}", autocommit=True)


def _execute(connection: adbc.Connection, *statements: str) -> None:
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.adbc_statement.set_sql_query(statement)
            cursor.adbc_statement.execute_update()


def _field(column: Column, read: pa.Schema) -> pa.Field:
    empty = pa.array([], read.field(column.name).type)
    return pa.field(column.name, column.converted(empty).type)


def _first_line(error: Exception) -> str:
    """What PostgreSQL says, without the driver's codes and the query."""
    text = str(error)
    found = text.partition("ERROR:")[2] or text
    return found.strip().partition("\n")[0]
