"""The landing zone's schema: `migrations/NNNN_name.sql`, applied forward in place, are its only definition.

A fresh install runs all of them, an older one those that it has not had; each is one transaction with its
line in `raw.schema_version`. A file that was released is never edited; a change is a new file.
"""

import logging
from pathlib import Path
from typing import Any, Final, NamedTuple

import psycopg

from common.errors import ConfigurationError

log = logging.getLogger(__name__)

Connection = psycopg.AsyncConnection[tuple[Any, ...]]


class Migration(NamedTuple):
    """One step: `script` leads from version `version` - 1 to `version`, and says so in raw.schema_version."""

    version: int
    name: str
    script: bytes


def _read(file: Path) -> Migration:
    number, _, name = file.stem.partition("_")
    record = f"insert into raw.schema_version (version, name) values ({int(number)}, '{name}');\n"  # noqa: S608 (our own file's name)
    return Migration(int(number), name, file.read_bytes() + record.encode())


_HERE: Final = Path(__file__).parent
#: All steps, in order; the first is version 1.
MIGRATIONS: Final = tuple(_read(file) for file in sorted((_HERE / "migrations").glob("*.sql")))
#: Done at every run, after the steps: where the tables lie when the server is a cluster.
_PLACEMENT: Final = (_HERE / "placement.sql").read_bytes()


async def exists(connection: Connection, relation: str) -> bool:
    """Is there a table or view of that name?"""
    cursor = await connection.execute("select to_regclass(%s) is not null", [relation])
    return await cursor.fetchall() == [(True,)]


async def version(connection: Connection) -> int:
    """The landing zone's version; 0 when there is none, or one from before there were versions."""
    if not await exists(connection, "raw.schema_version"):
        return 0
    cursor = await connection.execute("select coalesce(max(version), 0) from raw.schema_version")
    ((found,),) = await cursor.fetchall()
    return int(found)


async def refuse_newer(connection: Connection) -> None:
    """Raise `ConfigurationError` when the landing zone is of a newer version than this program."""
    found = await version(connection)
    if found > len(MIGRATIONS):
        raise ConfigurationError(
            f"the landing zone of the database {connection.info.dbname} has version {found}, and this"
            f" program knows none above {len(MIGRATIONS)}: a newer program has migrated it. Upgrade this one,"
            " or restore a backup from before. Nothing was changed"
        )


async def migrate(connection: Connection) -> None:
    """Bring the landing zone to this program's version; a step that fails leaves it as it was before that
    step. The caller holds the writer's lock; the connection is in autocommit mode.
    """
    for migration in MIGRATIONS[await version(connection) :]:
        async with connection.transaction():
            await connection.execute(migration.script)
        log.info("the landing zone has version %d now (%s)", migration.version, migration.name)
    await connection.execute(_PLACEMENT)
