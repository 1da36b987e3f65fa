"""The one warehouse: which server and database it is, settled once for every program, and connections to it.

`ensure` reads the ``PG*`` variables, a service's file included, as libpq does, tries what they name, and
returns them such that nothing is left to a program's own defaults: extractor, dbt, preview, check, psql and
pg_dump get the same host, port, user, database and session from them.
"""

import asyncio
import logging
import os
import re
import time
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from common.errors import one_line
from warehouse import citus, configuration, environment, session
from warehouse.errors import UsageError, WarehouseError
from warehouse.paths import default_home
from warehouse.server import Server

if TYPE_CHECKING:  # a quarter of a second, which the embedded server's commands need not wait
    import psycopg

log = logging.getLogger("warehouse")

DATABASE: Final = "tmdb"
"""The database unless ``PGDATABASE``, or a service, names another."""

OLDEST: Final = 16
"""The oldest version of PostgreSQL that everything here runs on."""

#: How long a server that is starting, or changing over to another, is waited for, s.
PATIENCE: Final = 60.0
_PAUSE: Final = 0.5
_CONNECT_SECONDS: Final = 10

#: What a person may set whichever the server.
_ANYWHERE: Final = {"PGAPPNAME"}
#: They name a service, whose settings are handed on one by one.
_SERVICE: Final = {"PGSERVICE", "PGSERVICEFILE", "PGSYSCONFDIR"}
#: What a service may say, that no variable can, and that changes neither where nor how one gets in.
_TRIFLES: Final = re.compile(r"keepalives.*|tcp_user_timeout|fallback_application_name")
_SHOWN: Final = {"host", "hostaddr", "port", "user", "dbname"}

_STARTING: Final = "starting up|shutting down|recovery|not yet accepting"
#: Reasons that may pass by themselves; of any other, a setting is the cause.
_PASSING: Final = re.compile(
    f"{_STARTING}|refused|timeout expired|timed out|translate host name|resolve|unreachable|[Nn]o route"
    "|closed|reset by peer|running locally|too many|remaining connection slots|query_wait|cannot connect"
)
#: A server's own words say that it was reached, and are in its language.
_SERVER_SAID: Final = re.compile(r"\b(FATAL|ERROR): ")


def is_external() -> bool:
    """Does the environment or ``.env`` name a server, by ``PGHOST``, ``PGHOSTADDR`` or ``PGSERVICE``?

    ``PGHOST`` set and empty names none, whatever the others say.
    """
    environment.load()
    if os.environ.get("PGHOST") == "":
        return False
    return any(os.environ.get(name) for name in ("PGHOST", "PGHOSTADDR", "PGSERVICE"))


def ensure(home: Path | None = None, *, durable: bool = True, database: str | None = None) -> dict[str, str]:
    """The ``PG*`` variables of a warehouse that is ready for use, complete: no program needs a default.

    Where the environment names a server, that one: its database must exist, and nothing is started or made.
    Else the embedded server of ``home`` (default: ``WAREHOUSE_HOME`` or ``<project>/.warehouse``) is
    started when it doesn't run, and the database made when it is missing. ``database`` goes before
    ``PGDATABASE`` and a service's. ``durable=False`` makes a server that doesn't survive a power cut, for
    tests.

    Raises ``UsageError`` for what can't be settled or worked on (contradictions, a wrong password,
    PostgreSQL before 16, a pooler of transactions, another encoding than UTF-8), ``WarehouseError`` for a
    server that can't be reached.
    """
    if is_external():
        return _settled(database)
    _refuse_no_names()
    server = Server(home or default_home(), durable=durable)
    server.start()
    name = database or os.environ.get("PGDATABASE") or DATABASE
    server.create_database(name)
    return {
        "PGHOST": str(server.layout.socket_directory),
        "PGPORT": configuration.PORT,
        "PGUSER": configuration.SUPERUSER,
        "PGDATABASE": name,
        **session.variables(os.environ.get("PGOPTIONS", "")),
    }


def named() -> dict[str, str]:
    """Where the server is that the environment names: ``PGHOST``, ``PGPORT``, ``PGDATABASE`` as ``ensure``
    reads them, with ``PGHOST`` empty for a unix socket and for the embedded server.

    Nothing is asked or started: for a program elsewhere, which will connect by itself. Raises ``UsageError``
    for contradictions.
    """
    values = {option.keyword: option.value for option in _read()} if is_external() else {}
    host = values.get("host") or values.get("hostaddr") or ""
    return {
        "PGHOST": "" if host.startswith(("/", "@")) else host,
        "PGPORT": values.get("port") or configuration.PORT,
        "PGDATABASE": values.get("dbname") or os.environ.get("PGDATABASE") or DATABASE,
    }


def overlay(variables: Mapping[str, str]) -> dict[str, str]:
    """The environment for a command on the warehouse that ``ensure`` returned.

    What would lead libpq elsewhere is left out: an embedded server must not be missed because of a
    ``PGSERVICE`` or ``PGHOSTADDR`` meant for another one.
    """
    return {
        name: value for name, value in os.environ.items() if not name.startswith("PG") or name in _ANYWHERE
    } | dict(variables)


def enter(database: str | None = None) -> dict[str, str]:
    """``ensure``, and let this process and all that it starts find the warehouse in the environment."""
    variables = ensure(database=database)
    environment = overlay(variables)
    os.environ.clear()
    os.environ.update(environment)
    return variables


def connect(
    variables: Mapping[str, str] | None = None, *, patience: float = PATIENCE, **parameters: Any
) -> "psycopg.Connection":
    """A connection in autocommit to the warehouse that the environment, or ``variables`` (``PG*``), name.

    ``parameters`` are libpq's, such as ``application_name``; ``patience``: seconds to wait for a server
    that is starting. Its session has `session.SETTINGS`. Raises ``WarehouseError``, or ``UsageError`` where
    a setting is the cause.
    """
    return _opened(variables, patience, parameters, session.STATEMENT)


async def connect_async(
    *, patience: float = PATIENCE, **parameters: Any
) -> "psycopg.AsyncConnection[tuple[Any, ...]]":
    """``connect`` to the warehouse that the environment names, for asyncio."""
    import psycopg

    waiting = _Patience(None, patience)
    while True:
        try:
            connection = await psycopg.AsyncConnection.connect(**_parameters(None, parameters))
            try:
                await connection.execute(session.STATEMENT.encode())
            except BaseException:
                await connection.close()
                raise
            return connection
        except (psycopg.Error, UnicodeError) as error:  # the latter for a host like a..b
            waiting.bear(error)
        await asyncio.sleep(_PAUSE)


def _opened(
    variables: Mapping[str, str] | None, patience: float, parameters: Mapping[str, Any], first: str
) -> "psycopg.Connection":
    """A connection on which the statement ``first`` has been run."""
    import psycopg

    waiting = _Patience(variables, patience)
    while True:
        try:
            connection = psycopg.connect(**_parameters(variables, parameters))
            try:
                connection.execute(first.encode())
            except BaseException:
                connection.close()
                raise
            return connection
        except (psycopg.Error, UnicodeError) as error:  # the latter for a host like a..b
            waiting.bear(error)
        time.sleep(_PAUSE)


class _Patience:
    """Waits for a server that is starting, and gives up on every other error at once."""

    def __init__(self, variables: Mapping[str, str] | None, seconds: float) -> None:
        self._variables = os.environ if variables is None else variables
        self._seconds = seconds
        self._since = time.monotonic()
        self._told = False

    def bear(self, error: Exception) -> None:
        """Return to try again, or raise the error to show."""
        said = one_line(error)
        if not re.search(_STARTING, said) or time.monotonic() - self._since > self._seconds:
            raise _refusal(said, self._variables) from error
        if not self._told:
            log.warning("PostgreSQL: %s; waiting up to %.0f s for it", said, self._seconds)
        self._told = True


def _parameters(variables: Mapping[str, str] | None, given: Mapping[str, Any]) -> dict[str, Any]:
    """libpq's parameters; what ``variables`` don't say, libpq takes from the environment."""
    options: dict[str, Any] = {"autocommit": True}
    if variables is not None:
        keywords = {option.variable: option.keyword for option in _libpq()}
        options |= {keywords[name]: value for name, value in variables.items() if value and name in keywords}
    if not os.environ.get("PGCONNECT_TIMEOUT"):
        options["connect_timeout"] = _CONNECT_SECONDS
    return {**options, **given}


@dataclass(frozen=True)
class _Option:
    """One of libpq's: its keyword, its variable (empty for some), its value by all that libpq reads."""

    keyword: str
    variable: str
    value: str
    default: str


def _libpq() -> list[_Option]:
    """All options as libpq itself has them, by the environment and a service's file."""
    from psycopg.pq import Conninfo

    return [
        _Option(*(os.fsdecode(text or b"") for text in (o.keyword, o.envvar, o.val, o.compiled)))
        for o in Conninfo.get_defaults()
    ]


def _read() -> list[_Option]:
    """libpq's options by the environment and a service's file; refuses what contradicts itself in them."""
    for name in [name for name, value in os.environ.items() if name.startswith("PG")]:
        # programs differ on what an empty one means, and the session's are not the person's to choose
        if not os.environ[name] or name in session.VARIABLES.values():
            del os.environ[name]
    options = _libpq()
    _refuse_contradictions(options)
    return options


def _settled(database: str | None) -> dict[str, str]:
    """The variables of the server that the environment names, which was tried and found fit."""
    from warehouse import pooling

    options = _read()
    values = {option.keyword: option.value for option in options}
    chosen = {"dbname": database or values["dbname"] or DATABASE}
    # not one setting of ours yet: in a pooler's session it would stay for whoever comes next
    with closing(_opened(None, PATIENCE, chosen, "select")) as connection:
        _refuse_unfit(connection)
        citus.refuse_unfit(connection)
        info = connection.info
        settled = {
            "PGHOST": info.host,
            "PGPORT": str(info.port),
            "PGUSER": info.user,
            "PGDATABASE": info.dbname,
        }
        if values["hostaddr"]:
            settled["PGHOSTADDR"] = info.hostaddr
        settled |= session.variables(values["options"])
        if not pooling.is_direct(connection) and not _takes_options(connection, settled):
            del settled["PGOPTIONS"]
    inherited = {name: value for name, value in os.environ.items() if name.startswith("PG")}
    said = {o.variable: o.value for o in options if o.variable and o.value and o.value != o.default}
    return {name: value for name, value in (inherited | said | settled).items() if name not in _SERVICE}


def _refuse_no_names() -> None:
    """Refuse an address or a connection string, which may hold a password, in the place of a name."""
    for name in ("PGHOST", "PGUSER", "PGDATABASE"):
        value = os.environ.get(name, "")
        if re.search("://|^[^/].*=", value) or not value.isprintable() or value != value.strip():
            raise UsageError(
                f"{name} must be a name alone, not an address with :// or = in it, without white space"
                " around it; its value is not shown here"
            )


def _refuse_contradictions(options: Sequence[_Option]) -> None:
    """Refuse what two programs would read as two servers, and what can't be handed on."""
    _refuse_no_names()
    service = os.environ.get("PGSERVICE")
    for option in options:
        given = os.environ.get(option.variable) if option.variable else None
        if given is not None and given != option.value:
            shown = option.keyword in _SHOWN
            raise UsageError(
                f"{option.variable}{f'={given}' if shown else ''} and the service {service}"
                f"{f' ({option.keyword}={option.value})' if shown else ''} contradict each other:"
                f" unset one of them (PGSERVICE= is no service)"
            )
        if option.value and not option.variable and not _TRIFLES.fullmatch(option.keyword):
            raise UsageError(
                f"the service {service} sets {option.keyword}, which no PG* variable can hand on to dbt:"
                " take it out, or name the server by PG* variables"
            )


def _refuse_unfit(connection: "psycopg.Connection") -> None:
    """Refuse a server or database on which something here would fail later, when films have landed."""
    info = connection.info
    if info.server_version < OLDEST * 10_000:
        raise UsageError(
            f"{info.host} is PostgreSQL {info.parameter_status('server_version')}, and {OLDEST} or newer is"
            " needed: upgrade it, or leave PGHOST empty for the embedded one. Nothing was written"
        )
    encoding = info.parameter_status("server_encoding")
    if encoding != "UTF8":
        raise UsageError(
            f"the database {info.dbname} is {encoding}-encoded, not UTF8: TMDB's text would not fit."
            " Make one with: create database … encoding 'UTF8' template template0"
        )


def _takes_options(connection: "psycopg.Connection", settled: Mapping[str, str]) -> bool:
    """Does the pooler, which ``connection`` goes through, let a client set its session by ``PGOPTIONS``?

    Raises ``UsageError`` when it gives out sessions by the transaction, or with settings that can't be
    mended.
    """
    from warehouse import pooling

    info = connection.info
    chosen = {"dbname": info.dbname}
    takes = True
    try:
        second = _opened(None, 0, {**chosen, "options": settled["PGOPTIONS"]}, "select")
    except WarehouseError as error:
        if "startup parameter" not in str(error):
            raise
        takes = False
        second = _opened(None, 0, chosen, "select")
    with closing(second):
        odd = session.oddities(second)
        if pooling.shares_sessions(connection, second):
            raise UsageError(
                f"{info.host}:{info.port} is a pooler that gives each transaction another session"
                " (PgBouncer: pool_mode = transaction), so that locks and temporary tables have no force:"
                " name PostgreSQL's own host and port, or a pool with pool_mode = session."
                " Nothing was written"
            )
    if odd:
        changes = ", ".join(
            f"{name}={value} (wanted: {session.SETTINGS[name]})" for name, value in odd.items()
        )
        raise UsageError(
            f"through the pooler {info.host}:{info.port} a session of {info.user} has {changes}, and takes no"
            " setting when it begins: change that by ALTER ROLE … SET, or name PostgreSQL's own host and port"
        )
    return takes


def _refusal(said: str, variables: Mapping[str, str]) -> WarehouseError:
    """The error to show for what libpq or the server said."""
    names = ("PGSERVICE", "PGHOST", "PGHOSTADDR", "PGPORT", "PGUSER", "PGDATABASE")
    where = ", ".join(f"{name}={variables[name]}" for name in names if variables.get(name))
    if re.search(_PASSING, said):
        return WarehouseError(
            f"cannot reach PostgreSQL ({where}): {said}. Is it running, and are PGHOST and PGPORT right?"
            " (without PGHOST the embedded server is used)"
        )
    if _SERVER_SAID.search(said):
        return UsageError(
            f"PostgreSQL refused the connection ({where}): {said}. Check PGUSER, PGPASSWORD, PGDATABASE,"
            " PGOPTIONS; the database must exist"
        )
    return UsageError(f"PostgreSQL cannot be asked ({where}): {said}. Check the PG* variables")
