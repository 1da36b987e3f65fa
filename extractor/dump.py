"""`extractor dump`: the landing zone, or some days of it, as JSON Lines, for `load` in another instance."""

import gzip
import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import IO, Final

from extractor import landing
from extractor.errors import ConfigurationError, LandingError, OutputError

log = logging.getLogger(__name__)

#: Standard output, as a file's name.
STDOUT: Final = "-"

#: What is landed where: from the primary key's index alone.
_PARTS: Final = """
select distinct snapshot_date, resource from raw.tmdb_response
where snapshot_date between coalesce(%(first)s, '-infinity'::date) and coalesce(%(last)s, 'infinity'::date)
order by snapshot_date, resource
"""

#: One range of the primary key. An alteration is rare, and left out where there is none.
_ROWS: Final = """
copy (
    select case when alteration is null then json_build_object(
        'resource', resource, 'resource_id', resource_id, 'snapshot_date', snapshot_date,
        'http_status', http_status, 'selected_by', selected_by, 'payload', payload
    ) else json_build_object(
        'resource', resource, 'resource_id', resource_id, 'snapshot_date', snapshot_date,
        'http_status', http_status, 'selected_by', selected_by, 'alteration', alteration, 'payload', payload
    ) end
    from raw.tmdb_response
    where resource = %(resource)s and snapshot_date = %(date)s
    order by resource_id
) to stdout
"""


async def dump(file: str, first: date | None, last: date | None) -> int:
    """Write the rows of the dates from `first` to `last` to `file` (`-`: standard output), oldest first;
    how many.

    A file of that name must not exist; it is there once it is complete, packed when it is named `.gz`,
    readable by its owner only. All rows are of one moment. Raises `ConfigurationError`, `LandingError`,
    `OutputError`.
    """
    async with landing.read_only() as connection, connection.transaction():
        await connection.execute("set transaction isolation level repeatable read")
        cursor = await connection.execute("select to_regclass('raw.tmdb_response') is not null")
        parts = []
        if await cursor.fetchall() == [(True,)]:
            cursor = await connection.execute(_PARTS.encode(), {"first": first, "last": last})
            parts = await cursor.fetchall()
        if not parts:
            raise LandingError("there is nothing to dump: no row of these dates is landed")
        rows = 0
        with _opened(file) as stream:
            for day, resource in parts:
                parameters = {"date": day, "resource": resource}
                async with connection.cursor().copy(_ROWS.encode(), parameters) as copy:
                    copy.set_types(["text"])
                    async for (line,) in copy.rows():
                        stream.write(line.encode() + b"\n")
                        rows += 1
    return rows


@contextmanager
def _opened(name: str) -> Iterator[IO[bytes]]:
    if name == STDOUT:
        try:
            yield sys.stdout.buffer
            sys.stdout.buffer.flush()
        except BrokenPipeError as error:
            # Python would try again at its end
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            raise OutputError("standard output was closed before the end") from error
        except OSError as error:
            raise OutputError(f"cannot write to standard output: {error.strerror}") from error
        return
    path = Path(name)
    if path.exists():
        raise ConfigurationError(f"{path} exists: name another file, or remove it")
    part = path.with_name(f"{path.name}.part")
    try:
        part.touch(mode=0o600)
        with gzip.open(part, "wb", compresslevel=6) if path.suffix == ".gz" else part.open("wb") as stream:
            yield stream  # type: ignore[misc]  # gzip's is a binary stream in all but its type
        part.rename(path)
    except OSError as error:
        raise OutputError(f"cannot write {path}: {error.strerror}") from error
    finally:
        part.unlink(missing_ok=True)
