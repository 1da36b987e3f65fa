"""One snapshot of the database, from which DuckDB writes files over several connections at once.

A first connection holds the snapshot open and lends it to the others, which read one relation a transaction:
so all files are of one moment, and no lock is held longer than its relation is being read.
"""

import os
import re
from contextlib import suppress
from pathlib import Path
from typing import Final, Self

import duckdb
import duckdb_extension_postgres_scanner
import psycopg
from psycopg import sql

import warehouse
from common.errors import ProgramError
from export.catalog import Relation
from export.columns import REFUSED
from export.files import Format, Written

_BEGIN: Final = "begin transaction isolation level repeatable read read only"
#: DuckDB's connections are known by theirs, to be cancelled.
_NAME: Final = "tmdb-elt export"
_EXTENSION: Final = Path(
    duckdb_extension_postgres_scanner.__file__,
    f"../extensions/v{duckdb.__version__}/postgres_scanner.duckdb_extension",
).resolve()
_SETTINGS: Final[dict[str, str | bool | int | float | list[str]]] = {
    # a person's own extensions and secrets have no part in this
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
    "secret_directory": os.devnull,
    "memory_limit": "400MB",
    # each relation has one of its own, which waits for PostgreSQL: more would wait for nothing, at full speed
    "threads": 1,
    # with one thread rows keep their order anyhow, and no copy of them is made for its sake
    "preserve_insertion_order": False,
}


class Snapshot:
    """A moment of the warehouse that was entered. A context manager; `connection` reads its catalog."""

    def __enter__(self) -> Self:
        self.connection = warehouse.connect(application_name=_NAME)
        try:
            self.connection.execute(_BEGIN.encode())
            (row,) = self.connection.execute(
                "select pg_export_snapshot(), now(), current_database(), pg_backend_pid()"
            )
            self._lent, self.moment, self.database, pid = row
            self._name = f"{_NAME} {pid}"
            self._duckdb = duckdb.connect(config=_SETTINGS)
            self._duckdb.execute(f"load {_literal(str(_EXTENSION))}; set timezone = 'UTC'")
            # libpq reads the rest, the password too, from its PG* variables
            self._duckdb.execute(
                f"attach 'application_name=''{self._name}''' as warehouse (type postgres, read_only)"
            )
        except BaseException as error:
            self.connection.close()
            if isinstance(error, duckdb.Error):
                raise ProgramError(
                    f"DuckDB can't reach {self.database}: {_first_line(str(error))}"
                ) from error
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._duckdb.close()
        self.connection.close()

    def write(self, relation: Relation, form: Format, path: Path) -> Written:
        """Write the rows of a relation, as they come. May be called in several threads at once.

        Raises `ProgramError`.
        """
        chosen = sql.SQL(", ").join(
            sql.SQL("{} as {}").format(column.expression(typed=form.typed), sql.Identifier(column.name))
            for column in relation.columns
        )
        query = sql.SQL("select {} from {}").format(chosen, relation.sql).as_string(self.connection)
        try:
            with self._duckdb.cursor() as cursor:
                cursor.begin()
                cursor.execute(_call("execute", f"set transaction snapshot '{self._lent}'"))
                columns = ", ".join(column.written for column in relation.columns)
                rows = f"select {columns} {_call('query', query)}"
                cursor.execute(f"copy ({rows}) to {_literal(str(path))} ({form.options})")
                row = cursor.fetchone()
                cursor.commit()
        except duckdb.Error as error:
            raise ProgramError(_said(relation.model.name, str(error))) from error
        return Written(path, row[0] if row else 0, path.stat().st_size)

    def stop(self) -> None:
        """Cancel what PostgreSQL does for the files now."""
        with suppress(psycopg.Error):
            self.connection.execute(
                "select pg_cancel_backend(pid) from pg_stat_activity where application_name = %s",
                [self._name],
            )


def _call(function: str, query: str) -> str:
    return f"from postgres_{function}('warehouse', {_literal(query)})"


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _said(name: str, error: str) -> str:
    """What PostgreSQL says, without DuckDB's words and the query; or what DuckDB says of the file."""
    if refused := re.search(rf': "(.*{REFUSED})"', error):
        return f"{name}.{refused[1]}"
    _, of_postgres, text = error.partition("ERROR:")
    return f"{name} could not be {'read' if of_postgres else 'written'}: {_first_line(text or error)}"


def _first_line(text: str) -> str:
    return text.strip().partition("\n")[0]
