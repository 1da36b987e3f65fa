"""One PostgreSQL for all processes of a test run, and databases in it: empty, or copied from a template.

`pytest_configure` of tests/conftest.py makes the run's folder and names it to the processes of pytest-xdist.
"""

import fcntl
import os
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
from psycopg import sql

import warehouse
from warehouse.server import Server

RUN_FOLDER = "TESTS_SHARED"

Variables = dict[str, str]


def run_folder() -> Path:
    """The folder that all processes of this run of the tests share."""
    return Path(os.environ[RUN_FOLDER])


@contextmanager
def exclusively(name: str) -> Iterator[None]:
    """Keep the other processes of this run out of what ``name`` stands for, such as a role of the server."""
    with (run_folder() / f"{name}.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def once(name: str, make: Callable[[], str]) -> str:
    """What ``make`` returned in the process of this run that asked first; it must not be empty."""
    with (run_folder() / f"{name}.once").open("a+") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        file.seek(0)
        if not (made := file.read()):
            made = make()
            file.write(made)
        return made


def server() -> Variables:
    """The PG* variables of the tests' server, for its maintenance database.

    It is the server that PGHOST names (where CI brings one), else an embedded one, which the first process
    that asks starts.
    """
    if os.environ.get("PGHOST"):
        return warehouse.ensure(database="postgres")
    return {**warehouse.ensure(_home(), durable=False), "PGDATABASE": "postgres"}


def clean_up() -> None:
    """Drop the templates and end the embedded server of this run."""
    if _home().exists():
        Server(_home()).stop()
        return
    for file in run_folder().glob("*.template.once"):
        if name := file.read_text():
            _drop(server(), name)


@dataclass(frozen=True)
class Databases:
    """Makes databases on the server whose maintenance database ``pg`` names."""

    pg: Mapping[str, str]

    @contextmanager
    def new(self, template: str | None = None) -> Iterator[Variables]:
        """The PG* variables of a database that lives as long as the context: empty, or a copy."""
        name = f"test_{uuid.uuid4().hex[:16]}"
        self._create(name, template)
        try:
            yield {**self.pg, "PGDATABASE": name}
        finally:
            _drop(self.pg, name)

    def template(self, name: str, fill: Callable[[Variables], object], of: str | None = None) -> str:
        """The database that ``fill`` filled, once for all processes of this run, to be given to `new`.

        It was empty before, or a copy of the template ``of``.
        """

        def make() -> str:
            # a % in a name is nothing to a program that quotes it right
            database = f"test_template_%s_{uuid.uuid4().hex[:16]}"
            self._create(database, of)
            try:
                fill({**self.pg, "PGDATABASE": database})
            except BaseException:
                _drop(self.pg, database)
                raise
            with _connect(self.pg) as admin:
                # a copy is refused while somebody is connected
                admin.execute(
                    sql.SQL("alter database {} allow_connections false").format(sql.Identifier(database))
                )
            return database

        return once(f"{name}.template", make)

    def _create(self, name: str, template: str | None = None) -> None:
        created = sql.Identifier(name)
        with _connect(self.pg) as admin:
            admin.execute(
                sql.SQL("create database {} template {}").format(
                    created, sql.Identifier(template or "template1")
                )
            )
            # what is set for a database, such as its search path, PostgreSQL doesn't copy
            settings = admin.execute(
                "select unnest(setconfig) from pg_db_role_setting inner join pg_database as d"
                " on d.oid = setdatabase where setrole = 0 and datname = %s",
                [template],
            ).fetchall()
            for (setting,) in settings:
                parameter, _, value = setting.partition("=")
                admin.execute("select set_config(%s, %s, false)", [parameter, value])
                admin.execute(
                    sql.SQL("alter database {} set {} from current").format(
                        created, sql.Identifier(parameter)
                    )
                )


def _home() -> Path:
    return run_folder() / "server"


def _drop(pg: Mapping[str, str], name: str) -> None:
    with _connect(pg) as admin:
        admin.execute(sql.SQL("drop database {} with (force)").format(sql.Identifier(name)))


def _connect(pg: Mapping[str, str]) -> psycopg.Connection:
    return psycopg.connect(**connection_parameters(pg), autocommit=True)


def connection_parameters(pg: Mapping[str, str]) -> dict[str, str]:
    """What psycopg wants for the PG* variables."""
    names = {
        "PGHOST": "host",
        "PGPORT": "port",
        "PGUSER": "user",
        "PGPASSWORD": "password",
        "PGDATABASE": "dbname",
    }
    return {key: pg[name] for name, key in names.items() if pg.get(name)}
