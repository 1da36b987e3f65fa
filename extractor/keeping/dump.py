"""`extractor dump`: the landing zone, or some days of it, as JSON Lines, for `load` in another instance."""

import asyncio
import gzip
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import IO, Final

from common.errors import ConfigurationError, OutputError
from common.files import standard_output, written_whole
from extractor import connection, schema
from extractor.errors import LandingError

#: Standard output, as a file's name.
STDOUT: Final = "-"
#: Lines are written so many bytes at a time.
_CHUNK: Final = 256 << 10

#: What is landed where: from the primary key's index alone.
_PARTS: Final = """
select distinct snapshot_date, resource from raw.tmdb_response
where snapshot_date between coalesce(%(first)s, '-infinity'::date) and coalesce(%(last)s, 'infinity'::date)
order by snapshot_date, resource
"""

#: One range of the primary key. What is rare is left out where it is null.
_ROWS: Final = """
copy (
    select json_strip_nulls(json_build_object(
        'resource', resource, 'resource_id', resource_id, 'snapshot_date', snapshot_date,
        'http_status', http_status, 'selected_by', selected_by, 'alteration', alteration, 'language', language
    )), payload
    from raw.tmdb_response
    where resource = %(resource)s and snapshot_date = %(date)s
    order by resource_id
) to stdout
"""


async def write(file: str, first: date | None, last: date | None) -> int:
    """Write the rows of the dates from `first` to `last` to `file` (`-`: standard output), oldest first;
    how many.

    A file of that name must not exist; it is there once it is complete, packed when it is named `.gz`,
    readable by its owner only. All rows are of one moment. Raises `ConfigurationError`, `LandingError`,
    `OutputError`.
    """
    async with connection.opened() as reader, reader.transaction():
        await reader.execute("set transaction isolation level repeatable read")
        parts = []
        if await schema.exists(reader, "raw.tmdb_response"):
            cursor = await reader.execute(_PARTS.encode(), {"first": first, "last": last})
            parts = await cursor.fetchall()
        if not parts:
            raise LandingError("there is nothing to dump: no row of these dates is landed")
        rows = 0
        lines = bytearray()
        with _output(file) as stream:
            for day, resource in parts:
                parameters = {"date": day, "resource": resource}
                async with reader.cursor().copy(_ROWS.encode(), parameters) as copy:
                    copy.set_types(["text", "text"])
                    async for about, payload in copy.rows():
                        lines += f'{about[:-1]},"payload":{payload}}}\n'.encode()
                        rows += 1
                        if len(lines) >= _CHUNK:
                            # In a thread: a pipe may keep it waiting, and a signal must be heard meanwhile.
                            await asyncio.to_thread(stream.write, bytes(lines))
                            lines.clear()
            await asyncio.to_thread(stream.write, bytes(lines))
    return rows


@contextmanager
def _output(name: str) -> Iterator[IO[bytes]]:
    if name == STDOUT:
        with standard_output() as stream:
            yield stream.buffer
        return
    path = Path(name)
    if not path.parent.is_dir():
        raise ConfigurationError(f"there is no folder {path.parent}: make it, or name another file")
    try:
        with written_whole(path) as file:
            if path.suffix != ".gz":
                yield file
                return
            with gzip.GzipFile(filename="", fileobj=file, mode="wb", compresslevel=6) as packed:
                yield packed  # type: ignore[misc]  # a binary stream in all but its type
    except FileExistsError:
        raise ConfigurationError(f"{path} exists: name another file, or remove it") from None
    except OSError as error:
        raise OutputError(f"cannot write {path}: {error.strerror}") from error
