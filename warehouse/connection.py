"""The ``PG*`` variables by which everything else reaches the warehouse."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from warehouse import configuration, environment
from warehouse.errors import WarehouseError
from warehouse.paths import default_home
from warehouse.server import Server

if TYPE_CHECKING:
    import psycopg

DATABASE = "tmdb"
"""The embedded server's database unless ``PGDATABASE`` names another."""

_CONNECT_SECONDS = 10

_ANYWHERE = {"PGAPPNAME", "PGOPTIONS", "PGTZ", "PGDATESTYLE", "PGCLIENTENCODING"}
"""What a person may set whichever the server."""


def is_external() -> bool:
    """Does ``PGHOST`` (environment or ``.env``) name a server? libpq, too, takes an empty value for none."""
    environment.load()
    return bool(os.environ.get("PGHOST"))


def ensure(home: Path | None = None, *, durable: bool = True) -> dict[str, str]:
    """The ``PG*`` variables of a warehouse that is ready for use.

    With ``PGHOST`` set: exactly what the environment says; nothing is started, made or asked. Else the
    embedded server of ``home`` (default: ``WAREHOUSE_HOME`` or ``<project>/.warehouse``) is started when it
    doesn't run, and the database ``PGDATABASE`` (default ``tmdb``) made when it is missing.
    ``durable=False`` makes a server that doesn't survive a power cut, for tests. Raises ``WarehouseError``.
    """
    if is_external():
        return {name: value for name, value in os.environ.items() if name.startswith("PG")}
    server = Server(home or default_home(), durable=durable)
    server.start()
    variables = {
        "PGHOST": str(server.layout.socket_directory),
        "PGPORT": configuration.PORT,
        "PGUSER": configuration.SUPERUSER,
        "PGDATABASE": os.environ.get("PGDATABASE") or DATABASE,
    }
    server.create_database(variables["PGDATABASE"])
    return variables


def overlay(variables: Mapping[str, str]) -> dict[str, str]:
    """The environment for a command on the warehouse that ``ensure`` returned.

    What would lead libpq elsewhere is left out: an embedded server must not be missed because of a
    ``PGSERVICE`` or ``PGHOSTADDR`` meant for another one.
    """
    return {
        name: value for name, value in os.environ.items() if not name.startswith("PG") or name in _ANYWHERE
    } | dict(variables)


def connect(variables: Mapping[str, str]) -> "psycopg.Connection":
    """A connection in autocommit to the warehouse that ``ensure`` returned. Raises ``WarehouseError``."""
    import psycopg
    from psycopg.conninfo import make_conninfo

    keys = {
        "PGHOST": "host",
        "PGPORT": "port",
        "PGUSER": "user",
        "PGPASSWORD": "password",
        "PGDATABASE": "dbname",
    }
    options = {key: variables[name] for name, key in keys.items() if variables.get(name)}
    if not is_external():
        # what the environment says of another server is not meant; an empty service would be an unknown one
        options["hostaddr"] = ""
        os.environ.pop("PGSERVICE", None)
    conninfo = make_conninfo(application_name="tmdb-elt warehouse", **options)
    try:
        return psycopg.connect(conninfo, autocommit=True, connect_timeout=_CONNECT_SECONDS)
    except psycopg.OperationalError as error:
        raise WarehouseError(f"cannot connect to PostgreSQL: {str(error).strip()}") from error


def verify() -> None:
    """Raise ``WarehouseError`` with what to do when the server that ``PGHOST`` names can't be used."""
    import psycopg  # a quarter of a second, which the embedded server's commands need not wait

    try:
        psycopg.connect(connect_timeout=_CONNECT_SECONDS).close()
    except psycopg.OperationalError as error:
        names = ("PGHOST", "PGPORT", "PGUSER", "PGDATABASE")
        asked = ", ".join(f"{name}={os.environ[name]}" for name in names if name in os.environ)
        raise WarehouseError(
            f"cannot connect to the PostgreSQL that the environment or .env names ({asked}):\n"
            f"{str(error).strip()}\n"
            "Check these variables and PGPASSWORD; the database must exist; "
            "without PGHOST the embedded server is used"
        ) from error
