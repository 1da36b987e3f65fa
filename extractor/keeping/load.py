"""`extractor load`: history from files into the landing zone, through the writer that a run uses.

A file is JSON Lines, packed by gzip or not, in one of two forms: rows of a landing zone as `dump` writes
them, or films as TMDB sends them, all of one snapshot date. What is landed already as it is stays untouched,
so a file can be loaded again, after an error too.
"""

import asyncio
import logging
import os
import time
import zlib
from codecs import BOM_UTF8
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import IO, Any, Final

import orjson

from common.errors import one_line
from common.files import unpacked
from common.report import Report
from extractor import answer, landing, values
from extractor.answer import LISTS
from extractor.buffer import BATCH_BYTES, BATCH_ROWS
from extractor.errors import InputError
from extractor.landing import Landing
from extractor.rows import ID_LIMIT, MAX_BODY, Row

log = logging.getLogger(__name__)

#: Standard input, as a file's name.
STDIN: Final = "-"
#: The longest line (bytes): the largest answer ever landed, as PostgreSQL writes it.
_MAX_LINE: Final = 4 * MAX_BODY
#: What `selected_by` says where the file does not.
_UNKNOWN: Final = "load"
_RESOURCES: Final = ("movie", *LISTS)
_REQUIRED: Final = ("resource", "resource_id", "snapshot_date", "http_status", "payload")

_WHAT_NOW: Final = (
    "What came before it is landed; mend it and load the file again: landed rows are left alone"
)


async def land_files(
    files: Sequence[str], day: date | None, report_seconds: float, report: Report | None = None
) -> Landing:
    """Land the rows of `files` (`-`: standard input), in their order, a later one over an earlier one.

    With `day` each line is a film as TMDB sends it, of that snapshot date; else a row of a landing zone. Says
    every `report_seconds` how far it is; `report` follows its counts. Raises `InputError`, which names file
    and line, for what is neither; then what came before is landed.
    """
    parameters = {"files": list(files), "date": day and day.isoformat()}
    async with landing.run("load", parameters, None, report or Report()) as zone:
        log.info("run %d: loading %s", zone.run_id, ", ".join(map(one_line, files)))
        await _land(zone, _batches(rows_of(files, day)), report_seconds)
    return zone


async def _land(zone: Landing, batches: Iterator[list[Row]], report_seconds: float) -> None:
    """Land all batches; the one in hand also when this is cancelled."""
    report_at = time.monotonic() + report_seconds
    # in a thread: a pipe may keep it waiting, and a signal must be heard meanwhile
    while batch := await asyncio.to_thread(next, batches, None):
        zone.requested += len(batch)
        writing = asyncio.create_task(zone.write(batch))
        try:
            await asyncio.shield(writing)
        except asyncio.CancelledError:
            zone.patience = landing.LAST_PATIENCE
            await writing
            raise
        if time.monotonic() >= report_at:
            report_at += report_seconds
            log.info("%s read (%s)", f"{zone.requested:,}", zone.counts)
    if not zone.requested:
        raise InputError("there is nothing to load: no line in what was given")


def rows_of(files: Sequence[str], day: date | None) -> Iterator[Row]:
    """The rows of `files`, one at a time; `land_files` says which. Raises `InputError`."""
    for name in files:
        with _stream(name) as stream:
            number = 0
            try:
                while line := stream.readline(_MAX_LINE + 1):
                    number += 1
                    if number == 1:  # editors on Windows write a byte order mark
                        line = line.removeprefix(BOM_UTF8)
                    if len(line) > _MAX_LINE:
                        raise InputError(f"longer than {_MAX_LINE:,} bytes: one row a line is needed")
                    if line := line.strip():
                        yield _film(line, day) if day else _row(line)
            except InputError as error:
                raise InputError(f"{one_line(name)}, line {number}: {error}. {_WHAT_NOW}") from None
            except (EOFError, zlib.error, OSError) as error:
                raise InputError(
                    f"{one_line(name)} can't be read beyond line {number} ({error}): is it whole? {_WHAT_NOW}"
                ) from error


@contextmanager
def _stream(name: str) -> Iterator[IO[bytes]]:
    try:
        with (
            os.fdopen(0, "rb", closefd=False) if name == STDIN else Path(name).open("rb") as file,
            unpacked(file) as content,
        ):
            yield content
    except OSError as error:
        raise InputError(f"cannot read {one_line(name)}: {error.strerror}") from error


def _batches(rows: Iterator[Row]) -> Iterator[list[Row]]:
    """`rows` in batches like a run's; none has a row twice, which one statement could not write."""
    batch: dict[tuple[str, int, date | None], Row] = {}
    size = 0
    try:
        for row in rows:
            key = (row.resource, row.resource_id, row.snapshot_date)
            if len(batch) >= BATCH_ROWS or size >= BATCH_BYTES or key in batch:
                yield list(batch.values())
                batch, size = {}, 0
            batch[key] = row
            size += len(row.body)
    except InputError:
        # what came before the bad line is landed
        if batch:
            yield list(batch.values())
        raise
    if batch:
        yield list(batch.values())


def _film(line: bytes, day: date) -> Row:
    text, repaired = answer.repair(line)
    document = _document(text)
    film = document.get("id")
    if type(film) is not int or "resource" in document:
        hint = " (a row of a landing zone, as `dump` writes it, is loaded without a date)"
        raise InputError(f"not a film as TMDB sends it, with its `id`{hint * ('resource' in document)}")
    _check("movie", film, document)
    body, left_out = answer.without_bad_blocks(text, document, answer.is_block)
    return Row("movie", film, 200, body, _UNKNOWN, _words(repaired, left_out), day)


def _row(line: bytes) -> Row:
    text, repaired = answer.repair(line)
    row = _document(text)
    missing = [name for name in _REQUIRED if name not in row]
    if missing:
        hint = " (films as TMDB sends them need their date: --date YYYY-MM-DD)" if "id" in row else ""
        raise InputError(f"not a row of a landing zone: it has no {', '.join(missing)}{hint}")
    resource, resource_id, status = row["resource"], row["resource_id"], row["http_status"]
    if resource not in _RESOURCES:
        raise InputError(f"resource {str(resource)[:50]!r} is none of {', '.join(_RESOURCES)}")
    for name in ("resource_id", "http_status"):
        if type(row[name]) is not int:
            raise InputError(f"{name} {str(row[name])[:50]!r} is no whole number")
    if status != 200 and (status, resource) != (404, "movie"):
        raise InputError(f"http_status {str(status)[:50]!r} is neither 200 nor a film's 404")
    _check(resource, resource_id, row["payload"], answer.gone if status == 404 else None)
    body, left_out = answer.without_bad_blocks(_payload(text), row["payload"], answer.is_block)
    return Row(
        resource,
        resource_id,
        status,
        body,
        _text(row, "selected_by") or _UNKNOWN,
        _words(_text(row, "alteration"), repaired, left_out),
        _date(row["snapshot_date"]),
        _text(row, "language"),
    )


def _document(line: bytes) -> dict[str, Any]:
    try:
        document = answer.parse(line)
    except answer.BadBodyError as error:
        raise InputError(error.detail) from None
    if not isinstance(document, dict):
        raise InputError(f"a JSON {type(document).__name__}, not an object")
    return document


def _check(resource: str, resource_id: int, document: Any, check: answer.Check | None = None) -> None:
    """What the extractor asks of an answer of TMDB is asked of one from a file, too."""
    if not (0 < resource_id < ID_LIMIT if resource == "movie" else resource_id == 0):
        raise InputError(
            f"{resource} {resource_id} can't be: films have ids above 0 that fit 63 bits, lists the id 0"
        )
    try:
        (check or answer.check_of(resource, resource_id))(document)
    except answer.BadBodyError as error:
        raise InputError(f"{resource} {resource_id}: {error.detail}") from None


def _payload(line: bytes) -> bytes:
    """The payload's own text: numbers digit by digit, also those that no float holds."""
    try:
        return orjson.dumps(answer.with_exact_numbers(line)["payload"])
    except answer.BadBodyError as error:
        raise InputError(f"the payload is {error.detail}") from None


def _words(*alterations: str | None) -> str | None:
    return "; ".join(filter(None, alterations)) or None


def _text(row: dict[str, Any], name: str) -> str | None:
    text = row.get(name)
    if text is not None and not isinstance(text, str):
        raise InputError(f"{name} {str(text)[:50]!r} is no text")
    return text


def _date(text: Any) -> date:
    try:
        return values.day(str(text))
    except ValueError as error:
        raise InputError(f"snapshot_date {str(text)[:50]!r} {error}") from None
