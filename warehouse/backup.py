"""Backup and restore of the warehouse: one file in pg_dump's custom format, from raw to analytics.

A restore is one transaction: it is whole, or nothing was changed. Neither owners nor grants are in the file,
so that it goes into any server under any role; the reader's rights are given anew.
"""

import re
import shutil
import subprocess
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Final

import psycopg
from psycopg import sql

from common.files import written_whole
from warehouse import advisory, binaries, connection, environment, roles
from warehouse.errors import UsageError, WarehouseError

FOLDER: Final = environment.PROJECT / "backups"

#: Who must not be at work in a database that is restored: what each holds, and what it is.
_AT_WORK: Final = {
    advisory.DAY: "a make elt or make dbt is at work",
    advisory.EXTRACTION: "an extraction is running",
}

#: What dbt sets for the database at each start (macro configure_database); pg_dump leaves it out.
_DATABASE_SETTINGS: Final = {"TimeZone": "UTC", "search_path": "analytics, marts, public"}

_LOCK_TIMEOUT: Final = "60s"


@dataclass(frozen=True)
class Programs:
    """A folder with `pg_dump`, `pg_restore` and `psql` of one version; `major` is that version."""

    folder: Path
    major: int

    def path(self, name: str) -> str:
        """The full path of one of them."""
        return str(self.folder / name)


def backup(variables: Mapping[str, str], file: Path | None = None) -> Path:
    """Write the warehouse that ``variables`` (PG*) name to ``file``, which must not exist; returns its path.

    Default: ``backups/DATABASE-TIME.dump`` in the project. Consistent whatever else runs meanwhile. A file of
    that name is there only once it is complete and was read back. Raises ``WarehouseError``.
    """
    with connection.connect(variables) as opened:
        database = opened.info.dbname
        present = _filled_schemas(opened)
        if not present:
            raise WarehouseError(f"the database {database} has nothing to back up: make elt, or make demo")
        programs = programs_for(opened.info.server_version // 10000)
    path = file or FOLDER / f"{database}-{datetime.now(UTC):%Y%m%dT%H%M%SZ}.dump"
    try:
        if not path.parent.exists():
            path.parent.mkdir(parents=True)
        # the landing zone is nobody else's business; pg_dump keeps the mode
        with written_whole(path) as part:
            _run(
                [
                    programs.path("pg_dump"),
                    *("--format=custom", "--no-owner", "--no-acl", "--no-password", f"--file={part.name}"),
                    *(f"--schema={name}" for name in present),
                ],
                variables,
                f"cannot back up {database}",
            )
            _contents(programs, Path(part.name), variables)
    except FileExistsError:
        raise UsageError(f"{path} exists: name another file, or remove it") from None
    except OSError as error:
        raise WarehouseError(f"cannot write {path}: {error.strerror}") from error
    return path


def restore(variables: Mapping[str, str], file: Path, *, replace: bool = False) -> list[str]:
    """Put the warehouse in ``file`` into the database that ``variables`` (PG*) name.

    Its schemas must be empty or missing; with ``replace`` they are dropped first. Returns what is worth
    telling. Raises ``UsageError`` for a wrong file or a database in use, ``WarehouseError`` otherwise; then
    nothing was changed.
    """
    if not file.is_file():
        raise UsageError(f"{file} is no file: name a backup that `make backup` wrote")
    with connection.connect(variables) as opened:
        database = opened.info.dbname
        server = opened.info.server_version // 10000
        programs = programs_for(server)
        contents = _contents(programs, file, variables)
        made_by = _dumped_from(contents)
        if made_by > server:
            raise UsageError(
                f"{file} is of PostgreSQL {made_by} and {database} is on {server}: restore it into a server "
                f"of version {made_by} or newer"
            )
        present = _filled_schemas(opened)
        if present and not replace:
            raise UsageError(
                f"the database {database} holds {', '.join(present)} already. REPLACE=1 (--replace) drops "
                "them for what is in the file; PGDATABASE names another database"
            )
        for key, who in _AT_WORK.items():
            if opened.execute("select pg_try_advisory_lock(%s)", [key]).fetchone() != (True,):
                raise WarehouseError(f"{who} in {database}: wait for it, then try again")
        _replay(programs, variables, file)
        return _settle(opened, database)


def programs_for(server: int) -> Programs:
    """PostgreSQL's programs that can dump a server of that major version.

    Those of the PATH, and where they are missing or too old, the embedded server's. Raises
    ``WarehouseError``.
    """
    found = []
    for folder in _folders():
        major = _version(folder / "pg_dump")
        if major is None or not all((folder / name).is_file() for name in ("pg_restore", "psql")):
            continue
        if major >= server:
            return Programs(folder, major)
        found.append(f"{folder} has version {major}")
    raise WarehouseError(
        f"PostgreSQL {server}'s pg_dump, pg_restore and psql are needed "
        f"({', '.join(found) or 'none was found'}): apt install postgresql-client-{server}"
    )


def _folders() -> Iterable[Path]:
    if connection.is_external():
        # the embedded ones cannot do TLS, so they come second
        named = shutil.which("pg_dump")
        if named:
            yield Path(named).parent
    yield binaries.directory()


def _version(program: Path) -> int | None:
    try:
        done = subprocess.run([program, "--version"], capture_output=True, text=True, check=False)
    except OSError:
        return None
    found = re.search(r"\(PostgreSQL\) (\d+)", done.stdout)
    return int(found[1]) if done.returncode == 0 and found else None


def _contents(programs: Programs, file: Path, variables: Mapping[str, str]) -> str:
    """The archive's table of contents. Raises ``UsageError`` when it is none or cut short."""
    done = subprocess.run(
        [programs.path("pg_restore"), "--list", str(file)],
        capture_output=True,
        text=True,
        errors="replace",
        env=_environment(variables),
        check=False,
    )
    if done.returncode != 0 or "SCHEMA - raw" not in done.stdout:
        said = done.stderr.strip() or "it has no landing zone"
        raise UsageError(f"{file} is no backup of a warehouse: {said}")
    return done.stdout


def _dumped_from(contents: str) -> int:
    found = re.search(r"Dumped from database version: (\d+)", contents)
    return int(found[1]) if found else 0


def _replay(programs: Programs, variables: Mapping[str, str], file: Path) -> None:
    """Drop and restore in one transaction; psql commits only when pg_restore has said everything."""
    begin = [
        "begin;",
        f"set local lock_timeout = '{_LOCK_TIMEOUT}';",
        "set local client_min_messages = warning;",
        f"drop schema if exists {', '.join(roles.OUR_SCHEMAS)} cascade;",
        "",
    ]
    plain = _environment(variables)
    options = ("--no-psqlrc", "--quiet", "--no-password", "--set=ON_ERROR_STOP=1", "--output=/dev/null")
    with (
        subprocess.Popen(
            [programs.path("pg_restore"), "--no-owner", "--no-acl", "--file=-", str(file)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=plain,
        ) as source,
        subprocess.Popen(
            [programs.path("psql"), *options, "--file=-"],
            stdin=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=plain,
        ) as target,
    ):
        statements, script = _opened(target.stdin), _opened(source.stdout)
        with suppress(BrokenPipeError):  # psql stopped at an error, which it tells
            statements.write("\n".join(begin).encode())
            shutil.copyfileobj(script, statements, 1 << 16)
            if source.wait() == 0:
                statements.write(b"\ncommit;\n")
            statements.close()
        with suppress(BrokenPipeError):
            statements.close()
        if source.poll() is None:
            source.kill()
        said = (_opened(target.stderr).read() + _opened(source.stderr).read()).decode(errors="replace")
    if target.returncode != 0 or source.returncode != 0:
        # pg_restore, which only reads, has given up by itself: the file is damaged or cut short
        kind = UsageError if source.returncode > 0 else WarehouseError
        raise kind(
            f"cannot restore {file}; nothing was changed:\n"
            + "\n".join(f"  {line}" for line in said.splitlines()[-12:])
        )


def _opened(stream: IO[bytes] | None) -> IO[bytes]:
    if stream is None:
        raise TypeError("a pipe was not asked for")
    return stream


def _settle(opened: psycopg.Connection, database: str) -> list[str]:
    """What is not in the file: settings of the database, rights of the reader, statistics."""
    notes = []
    try:
        for name, value in _DATABASE_SETTINGS.items():
            opened.execute(
                sql.SQL("alter database {} set {} to {}").format(
                    sql.Identifier(database), sql.Identifier(name), sql.SQL(value)
                )
            )
    except psycopg.errors.InsufficientPrivilege:
        notes.append(f"{opened.info.user} does not own {database}, so its search_path was left as it is")
    try:
        roles.let_reader_read(opened)
    except WarehouseError as error:
        notes.append(str(error))
    opened.execute("analyze")
    return notes


def _filled_schemas(opened: psycopg.Connection) -> list[str]:
    """The warehouse's schemas that hold a table or view."""
    return [
        row[0]
        for row in opened.execute(
            "select nspname from pg_namespace as n where nspname = any(%s)"
            " and exists (select from pg_class as c where c.relnamespace = n.oid)"
            " order by array_position(%s, nspname::text)",
            [list(roles.OUR_SCHEMAS), list(roles.OUR_SCHEMAS)],
        )
    ]


def _run(command: list[str], variables: Mapping[str, str], what: str) -> None:
    done = subprocess.run(
        command, capture_output=True, text=True, errors="replace", env=_environment(variables), check=False
    )
    if done.returncode != 0:
        raise WarehouseError(f"{what}:\n{done.stderr.strip()}")


def _environment(variables: Mapping[str, str]) -> dict[str, str]:
    return {**connection.overlay(variables), "LC_ALL": "C", "PGCLIENTENCODING": "UTF8"}
