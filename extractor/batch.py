"""A batch of rows and failures as SQL: COPY into a temporary table, then one upsert.

Citus takes it, too: no parameter in what a worker executes, no lateral join of a distributed table.
"""

from collections.abc import Collection, Sequence
from dataclasses import asdict
from datetime import date
from operator import attrgetter
from typing import Final

import psycopg
from psycopg.abc import Buffer
from psycopg.adapt import Dumper
from psycopg.pq import Format

from extractor.answer import BLOCKS
from extractor.rows import Failure, Row
from extractor.schema import Connection

#: A batch's columns: what a row has under the same name (`payload`: its body), and PostgreSQL's type.
_COLUMNS: Final = {
    "resource": "text",
    "resource_id": "int8",
    "http_status": "int2",
    "payload": "jsonb",
    "alteration": "text",
    "selected_by": "text",
    "snapshot_date": "date",
    "language": "text",
}
_values: Final = attrgetter(*("body" if name == "payload" else name for name in _COLUMNS))

_BATCH_TABLE: Final = f"""
create temporary table if not exists landing_batch (
    {", ".join(f"{name} {kind}" for name, kind in _COLUMNS.items())}
)
-- most payloads stay as they are here, and are compressed once, on their way on (measured: 20 % less CPU)
with (toast_tuple_target = 8160) on commit delete rows
"""

_BLOCK_NAMES: Final = ", ".join(f"'{name}'" for name in BLOCKS)
#: Would the new payload lose a block that the landed one has?
_IS_LESSER: Final = f"""
excluded.http_status = 200 and landed.payload ?| array[{_BLOCK_NAMES}] and (
    {" or ".join(f"landed.payload ? '{name}' and not excluded.payload ? '{name}'" for name in BLOCKS)}
)
"""

_UPSERT: Final = f"""
insert into raw.tmdb_response as landed (
    resource, resource_id, snapshot_date, http_status, payload,
    run_id, load_id, landed_at, alteration, selected_by, language
)
select
    resource, resource_id, coalesce(snapshot_date, %(date)s), http_status, payload,
    %(run)s, %(load)s, now(), alteration, selected_by, language
from landing_batch
on conflict (resource, snapshot_date, resource_id) do update set
    http_status = excluded.http_status,
    payload = excluded.payload,
    run_id = excluded.run_id,
    load_id = excluded.load_id,
    landed_at = excluded.landed_at,
    alteration = excluded.alteration,
    language = excluded.language,
    selected_by = case
        when landed.selected_by = 'popular' or excluded.selected_by = 'load' then landed.selected_by
        else excluded.selected_by
    end
where not ({_IS_LESSER})
"""  # noqa: S608 (our own table's names)

#: A load also leaves alone what is landed already as it is; but not its own, because a batch whose commit was
#: in doubt is written again.
_UNLESS_LANDED: Final = """
and (
    landed.run_id = excluded.run_id
    or (landed.http_status, landed.payload, landed.alteration, landed.language)
    is distinct from (excluded.http_status, excluded.payload, excluded.alteration, excluded.language)
    or (landed.selected_by <> 'popular' and excluded.selected_by not in ('load', landed.selected_by))
)
"""

_FAIL: Final = """
insert into raw.extract_failure
    (run_id, resource, resource_id, snapshot_date, reason, detail, http_status, body)
values (
    %(run_id)s, %(resource)s, %(resource_id)s, %(date)s, %(reason)s, %(detail)s, %(http_status)s, %(body)s
) on conflict do nothing
"""


class _JsonText(Dumper):
    """JSON that is text already, as psycopg's binary COPY wants a jsonb: it goes in as TMDB sent it."""

    format = Format.BINARY
    oid = psycopg.adapters.types["jsonb"].oid

    def dump(self, obj: bytes) -> Buffer:
        return b"\x01" + obj


async def ensure_partitions(
    connection: Connection, days: Collection[date | None], known: Collection[date]
) -> dict[date, str]:
    """The partitions of `days` by the first day of their month, but for months that are `known`; made where
    they are missing.
    """
    months = {day.replace(day=1) for day in days if day} - set(known)
    partitions = {}
    if months:
        # On Citus a new partition and its first rows fit into one transaction only so.
        await connection.execute("select set_config('citus.multi_shard_modify_mode', 'sequential', true)")
    for month in sorted(months):
        cursor = await connection.execute("select raw.ensure_partition(%s)", [month])
        ((partitions[month],),) = await cursor.fetchall()
    return partitions


async def upsert(connection: Connection, run_id: int, day: date | None, rows: Sequence[Row]) -> Sequence[Row]:
    """Write the `rows` of a run, which are of its `day` unless they bring their own, as those of a load do.
    Returns those that were written: all but those that the landing zone has as they are (a load), or fuller.
    """
    await connection.execute(_BATCH_TABLE.encode())
    cursor = connection.cursor()
    cursor.adapters.register_dumper(None, _JsonText)
    async with cursor.copy(b"copy landing_batch from stdin with (format binary)") as copy:
        copy.set_types(tuple(_COLUMNS.values()))
        for row in rows:
            await copy.write_row(_values(row))
    cursor = await connection.execute("select nextval('raw.load_id_seq')")
    ((load_id,),) = await cursor.fetchall()
    upsert = _UPSERT + _UNLESS_LANDED * (day is None)
    await connection.execute(upsert.encode(), {"date": day, "run": run_id, "load": load_id})
    # Citus tells how many rows it has read, and not how many of them it wrote.
    cursor = await connection.execute("select count(*) from raw.tmdb_response where load_id = %s", [load_id])
    if await cursor.fetchone() == (len(rows),):
        return rows
    cursor = await connection.execute(
        "select resource, resource_id, snapshot_date from raw.tmdb_response where load_id = %s", [load_id]
    )
    written = set(await cursor.fetchall())
    return [row for row in rows if (row.resource, row.resource_id, row.snapshot_date or day) in written]


async def record(connection: Connection, run_id: int, day: date | None, failures: Sequence[Failure]) -> None:
    """Write what could not be had; a failure that is recorded already stays as it is."""
    records = [
        asdict(failure)
        | {
            "run_id": run_id,
            "date": failure.snapshot_date or day,
            "detail": failure.detail.replace("\0", "\\0"),
        }
        for failure in failures
    ]
    await connection.cursor().executemany(_FAIL, records)
