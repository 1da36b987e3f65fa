"""`extractor prune`: retention by dropping whole months of the landing zone.

TMDB's terms allow caching for six months (API terms of use, 1.C).
"""

from dataclasses import asdict, dataclass
from datetime import date, timedelta
from typing import TextIO

import psycopg
from psycopg import sql

from common.errors import one_line
from extractor import connection, schema
from extractor.errors import LandingError, RefusedError
from extractor.schema import Connection
from extractor.values import today

_PARTITIONS = """
select
    child.relname,
    substring(
        pg_get_expr(child.relpartbound, child.oid) from 'TO \\(''([-0-9]{{10}})'''
    )::date as ends_before,
    {size}(child.oid) as bytes
from pg_inherits
inner join pg_class as child on child.oid = inhrelid
where inhparent = to_regclass('raw.tmdb_response')
order by ends_before
"""


@dataclass(frozen=True)
class Partition:
    """A month of the landing zone; dates and load are null when it is empty."""

    name: str
    first_date: date | None
    last_date: date | None
    rows: int
    max_load_id: int | None
    bytes: int


@dataclass(frozen=True)
class Pruned:
    """What was dropped, or would be, and the failures' records that went with it."""

    keep_from: date
    partitions: list[Partition]
    failures: int


async def drop_months(keep_days: int, *, dry_run: bool) -> Pruned:
    """Drop the months whose every day is more than `keep_days` days before today (UTC).

    Raises `RefusedError`, and drops nothing, when a mart has not taken all of what would go. A dry run raises
    it, too.
    """
    keep_from = today() - timedelta(days=keep_days)
    async with connection.opened(locked=not dry_run) as opened:
        if not await schema.exists(opened, "raw.prune_log"):
            return Pruned(keep_from, [], 0)
        try:
            async with opened.transaction():
                return await _prune(opened, keep_from, dry_run)
        except psycopg.errors.LockNotAvailable as error:
            raise LandingError(
                "the landing zone is in use (a dbt run?), nothing was dropped: try again when it has ended"
            ) from error
        except psycopg.Error as error:
            said = one_line(error)
            raise LandingError(f"PostgreSQL could not prune, nothing was dropped: {said}") from error


def show(pruned: Pruned, stream: TextIO, verb: str) -> None:
    """What was dropped, or would be, for a person."""
    lines = [
        f"{verb} raw.{partition.name}: {partition.rows:,} rows of {partition.first_date}"
        f" to {partition.last_date}, {partition.bytes / 1e6:,.1f} MB"
        for partition in pruned.partitions
    ] or [f"nothing to drop: no whole month lies before {pruned.keep_from}"]
    if pruned.failures:
        lines.append(f"{verb} the records of {pruned.failures:,} failures of those days")
    print(*lines, sep="\n", file=stream)


async def _prune(connection: Connection, keep_from: date, dry_run: bool) -> Pruned:
    # On Citus the rows are on other nodes, which pg_total_relation_size does not count.
    on_citus = await schema.exists(connection, "pg_dist_partition")
    size = "citus_total_relation_size" if on_citus else "pg_total_relation_size"
    cursor = await connection.execute(_PARTITIONS.format(size=size).encode())
    old = [(name, size) for name, ends_before, size in await cursor.fetchall() if ends_before <= keep_from]
    partitions = [await _measured(connection, name, size) for name, size in old]
    await _refuse_what_is_not_taken(connection, partitions)
    # failures are kept as long as their date's month
    oldest_kept = keep_from.replace(day=1)
    if dry_run:
        count = "select count(*) from raw.extract_failure where snapshot_date < %s"
        ((failures,),) = await (await connection.execute(count, [oldest_kept])).fetchall()
        return Pruned(keep_from, partitions, failures)
    for partition in partitions:
        await connection.execute(
            "insert into raw.prune_log (partition, first_date, last_date, rows, max_load_id)"
            " values (%(name)s, %(first_date)s, %(last_date)s, %(rows)s, %(max_load_id)s)",
            asdict(partition),
        )
        await connection.execute(sql.SQL("drop table raw.{}").format(sql.Identifier(partition.name)))
    delete = "delete from raw.extract_failure where snapshot_date < %s"
    cursor = await connection.execute(delete, [oldest_kept])
    return Pruned(keep_from, partitions, cursor.rowcount)


async def _measured(connection: Connection, name: str, size: int) -> Partition:
    cursor = await connection.execute(
        sql.SQL("select min(snapshot_date), max(snapshot_date), count(*), max(load_id) from raw.{}").format(
            sql.Identifier(name)
        )
    )
    ((first, last, rows, load_id),) = await cursor.fetchall()
    return Partition(name, first, last, rows, load_id, size)


async def _refuse_what_is_not_taken(connection: Connection, partitions: list[Partition]) -> None:
    newest = max((p.max_load_id for p in partitions if p.max_load_id is not None), default=None)
    if newest is None:
        return
    if not await schema.exists(connection, "ops.watermark"):
        raise RefusedError(
            "nothing was dropped: there are no tables yet (no ops.watermark), so the landing zone is the only"
            " copy of the history. Build them first: make dbt"
        )
    # staging keeps what it has read; a table that is gone reads nothing any more
    cursor = await connection.execute(
        "select relation, load_id from ops.watermark where to_regclass('staging.' || relation) is not null"
        " order by relation"
    )
    taken = await cursor.fetchall()
    behind = [f"{relation} (up to load {load_id})" for relation, load_id in taken if load_id < newest]
    if not taken or behind:
        what = "no table has taken anything" if not taken else f"not all was taken by {', '.join(behind)}"
        raise RefusedError(
            f"nothing was dropped: the months to drop reach to load {newest}, but {what}."
            " Bring the tables up to date first: make dbt"
        )
