"""`extractor load`: history from files into the landing zone, through the writer that a run uses.

A file is JSON Lines, packed by gzip or not, in one of two forms: rows of a landing zone as `dump` writes
them, or films as TMDB sends them, all of one snapshot date. What is landed already as it is stays untouched,
so a file can be loaded again, after an error too.
"""

import asyncio
import gzip
import logging
import os
import time
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import IO, Any, Final

import orjson

from common.report import Counts, Report
from extractor import answer, landing, values
from extractor.answer import LISTS
from extractor.buffer import BATCH_BYTES, BATCH_ROWS
from extractor.errors import InputError, RunFailedError
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
_GZIP: Final = b"\x1f\x8b"

_WHAT_NOW: Final = (
    "What came before it is landed; mend it and load the file again: landed rows are left alone"
)


@dataclass(frozen=True)
class Loaded:
    """How a load ended, for its closing line; what it requested are the rows in the files."""

    run_id: int
    counts: Counts
    seconds: float

    def __str__(self) -> str:
        return f"{self.counts.requested:,} read: {self.counts}, in {self.seconds:,.1f} s"


async def land_files(
    files: Sequence[str], day: date | None, report_seconds: float, report: Report | None = None
) -> Loaded:
    """Land the rows of `files` (`-`: standard input), in their order, a later one over an earlier one.

    With `day` each line is a film as TMDB sends it, of that snapshot date; else a row of a landing zone. Says
    every `report_seconds` how far it is; `report` follows its counts. Raises `InputError`, which names file
    and line, for what is neither; then what came before is landed.
    """
    async with landing.writer() as zone:
        started = time.monotonic()
        begun = await zone.begin("load", {"files": list(files), "date": day and day.isoformat()}, None)
        loading = _Loading(zone, report_seconds)
        if report is not None:
            report.follow(begun.run_id, lambda: loading.counts)
        log.info("run %d: loading %s", begun.run_id, ", ".join(files))
        async with zone.closing(lambda: (loading.read, 0)):
            await loading.to_the_end(_batches(rows_of(files, day)))
        problem = zone.committed.too_many_failed(loading.read)
        loaded = Loaded(begun.run_id, loading.counts, time.monotonic() - started)
        await zone.conclude(loading.read, 0, problem)
        if problem:
            raise RunFailedError(f"run {begun.run_id} failed: {problem}. {loaded}")
        return loaded


class _Loading:
    """One load's moving parts; `read` counts the rows that were taken from the files."""

    def __init__(self, zone: Landing, report_seconds: float) -> None:
        self.read = 0
        self._zone = zone
        self._seconds = report_seconds

    @property
    def counts(self) -> Counts:
        """What is committed, and what was read until now."""
        return replace(self._zone.committed, requested=self.read)

    async def to_the_end(self, batches: Iterator[list[Row]]) -> None:
        """Land all batches; the one in hand also when this is cancelled."""
        report_at = time.monotonic() + self._seconds
        # in a thread: a pipe may keep it waiting, and a signal must be heard meanwhile
        while batch := await asyncio.to_thread(next, batches, None):
            self.read += len(batch)
            writing = asyncio.create_task(self._zone.write(batch, self.read, 0))
            try:
                await asyncio.shield(writing)
            except asyncio.CancelledError:
                self._zone.patience = landing.LAST_PATIENCE
                await writing
                raise
            if time.monotonic() >= report_at:
                report_at += self._seconds
                log.info("%s read (%s)", f"{self.read:,}", self._zone.committed)
        if not self.read:
            raise InputError("there is nothing to load: no line in what was given")


def rows_of(files: Sequence[str], day: date | None) -> Iterator[Row]:
    """The rows of `files`, one at a time; `land_files` says which. Raises `InputError`."""
    for name in files:
        with _stream(name) as stream:
            number = 0
            try:
                while line := stream.readline(_MAX_LINE + 1):
                    number += 1
                    if len(line) > _MAX_LINE:
                        raise InputError(f"longer than {_MAX_LINE:,} bytes: one row a line is needed")
                    if line := line.strip():
                        yield _film(line, day) if day else _row(line)
            except InputError as error:
                raise InputError(f"{name}, line {number}: {error}. {_WHAT_NOW}") from None
            except (EOFError, zlib.error, OSError) as error:
                raise InputError(
                    f"{name} can't be read beyond line {number} ({error}): is it whole? {_WHAT_NOW}"
                ) from error


@contextmanager
def _stream(name: str) -> Iterator[IO[bytes]]:
    """The file, unpacked where it is packed, whatever its name."""
    try:
        with os.fdopen(0, "rb", closefd=False) if name == STDIN else Path(name).open("rb") as file:
            if file.peek(2)[:2] != _GZIP:
                yield file
                return
            with gzip.GzipFile(fileobj=file) as unpacked:
                yield unpacked  # type: ignore[misc]  # a binary stream in all but its type
    except OSError as error:
        raise InputError(f"cannot read {name}: {error.strerror}") from error


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
    body, alteration = answer.repair(line)
    document = _document(body)
    film = document.get("id")
    if type(film) is not int or "resource" in document:
        hint = " (a row of a landing zone, as `dump` writes it, is loaded without a date)"
        raise InputError(f"not a film as TMDB sends it, with its `id`{hint * ('resource' in document)}")
    _check("movie", film, document)
    return Row("movie", film, 200, body, _UNKNOWN, alteration, day)


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
    if type(resource_id) is not int:
        raise InputError(f"resource_id {str(resource_id)[:50]!r} is no whole number")
    if type(status) is not int:
        raise InputError(f"http_status {str(status)[:50]!r} is no whole number")
    if status == 404 and resource == "movie":
        _check_id(resource, resource_id)
        if not answer.gone(row["payload"]):
            raise InputError("with http_status 404, but its payload is not TMDB's for a film that is gone")
    elif status == 200:
        _check(resource, resource_id, row["payload"])
    else:
        raise InputError(f"http_status {str(status)[:50]!r} is neither 200 nor a film's 404")
    return Row(
        resource,
        resource_id,
        status,
        _payload(text),
        _text(row, "selected_by") or _UNKNOWN,
        "; ".join(filter(None, (_text(row, "alteration"), repaired))) or None,
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


def _check(resource: str, resource_id: int, document: Any) -> None:
    """What the extractor asks of an answer of TMDB is asked of one from a file, too."""
    _check_id(resource, resource_id)
    check = answer.movie(resource_id) if resource == "movie" else LISTS[resource].check
    try:
        check(document)
    except answer.BadBodyError as error:
        raise InputError(f"{resource} {resource_id}: {error.detail}") from None


def _check_id(resource: str, resource_id: int) -> None:
    if not (0 < resource_id < ID_LIMIT if resource == "movie" else resource_id == 0):
        raise InputError(
            f"{resource} {resource_id} can't be: films have ids above 0 that fit 63 bits, lists the id 0"
        )


def _payload(line: bytes) -> bytes:
    """The payload's own text: numbers digit by digit, also those that no float holds."""
    try:
        return orjson.dumps(answer.with_exact_numbers(line)["payload"])
    except answer.BadBodyError as error:
        raise InputError(f"the payload is {error.detail}") from None


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
