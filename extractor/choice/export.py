"""The daily id export: every film's id and popularity, one JSON object a line, gzipped.

https://developer.themoviedb.org/docs/daily-id-exports: the file of a day is ready by 08:00 UTC and kept three
months. Films are kept as one 64-bit number each, so that the whole catalogue (1.24 million films in 2026)
takes 10 MB.
"""

import asyncio
import gzip
import heapq
import logging
import tempfile
import zlib
from array import array
from collections.abc import Iterator
from datetime import date, timedelta
from io import BufferedRandom
from itertools import islice
from typing import Final, NamedTuple

import orjson

from common.files import GZIP, unpacked
from extractor.choice.idset import IdSet
from extractor.errors import FailedError, SourceError
from extractor.rows import Failure
from extractor.settings import Settings
from extractor.tmdb import Tmdb

log = logging.getLogger(__name__)

#: A day's file may be missing before 08:00 UTC, or for a day when TMDB's job failed.
_DAYS_BACK: Final = 3
#: A line has about 120 bytes; one longer than this is no line of an export.
_LONGEST_LINE: Final = 64 << 10
#: Broken lines that are kept as failures; above this share (and more than ten) the file is no export.
_KEPT: Final = 1000
_TOLERATED: Final = 0.01
_CHUNK: Final = 1 << 16
#: A film as one number that sorts by popularity, descending, then id: popularity has four decimals since
#: 2025, and one above the bound counts as the bound.
_POPULARITY_BITS: Final = 30
_MAX_POPULARITY: Final = ((1 << _POPULARITY_BITS) - 1) / 10_000
_ID_BITS: Final = 32


class Export(NamedTuple):
    """The films of an export by popularity, descending, and its first broken lines."""

    ids: "array[int]"
    failures: list[Failure]


async def films_of(client: Tmdb, settings: Settings, *, limit: int | None, videos: bool = True) -> Export:
    """The films of the newest export of the snapshot date or the three days before it: the `limit` most
    popular ones, of at least the settings' popularity. Adult films are left out, and without `videos` those
    that are marked as video, as discover leaves them out. Raises `SourceError`.
    """
    day, least = settings.snapshot_date, settings.min_popularity or 0.0
    names = []
    for file_day in (day - timedelta(days=back) for back in range(_DAYS_BACK + 1)):
        names.append(f"movie_ids_{file_day:%m_%d_%Y}.json.gz")
        for _ in range(settings.max_tries):
            with tempfile.TemporaryFile(prefix="tmdb-export-") as file:
                try:
                    if not await client.download_export(names[-1], file):
                        break
                except FailedError as error:
                    raise SourceError(
                        f"cannot download the id export {names[-1]}: {error}. Check TMDB_EXPORT_URL and the"
                        " network, then run the same command again"
                    ) from error
                try:
                    export = await asyncio.to_thread(parse, file, file_day, limit, least, videos)
                except (EOFError, gzip.BadGzipFile, zlib.error) as error:
                    # a body of the announced length that is no whole gzip file
                    log.warning("the id export %s came damaged (%s)", names[-1], error)
                    await asyncio.sleep(1.0)
                    continue
            if file_day != day:
                log.warning("there is no id export of %s: took that of %s", day, file_day)
            return export
        else:
            times = settings.max_tries
            raise SourceError(f"the id export {names[-1]} came damaged {times} times: try again later")
    raise SourceError(
        f"there is no id export at TMDB_EXPORT_URL for {day} and the {_DAYS_BACK} days before it"
        f" ({', '.join(names)}); TMDB keeps them for three months"
    )


def parse(file: BufferedRandom, day: date, limit: int | None, least: float, videos: bool = True) -> Export:
    """The films in `file`, packed or not, which is that of `day`. Raises `SourceError` when too many of its
    lines are no films, and what `gzip` raises.
    """
    file.seek(0)
    if file.peek(1)[:1] not in (GZIP[:1], b"{"):
        raise gzip.BadGzipFile("it is neither gzip nor JSON")
    seen = IdSet()
    keys = array("q")
    failures: list[Failure] = []
    number = broken = 0
    with unpacked(file) as lines:
        while line := lines.readline(_LONGEST_LINE):
            number += 1
            try:
                film = orjson.loads(line)
                film_id, popularity = film["id"], film.get("popularity") or 0.0
                if type(film_id) is not int or not 0 < film_id < 1 << _ID_BITS:
                    raise ValueError(f"id {film_id!r}")
                key = _key(film_id, popularity)
                left_out = film.get("adult") is True or (not videos and film.get("video") is True)
            except (ValueError, KeyError, TypeError, AttributeError) as error:
                if line.isspace():
                    continue
                broken += 1
                if broken <= _KEPT:
                    detail = f"line {number} of the id export of {day}: {type(error).__name__}: {error}"
                    about = ("export_line", number, "not_a_film", detail[:500])
                    failures.append(Failure(*about, body=line[:1000]))
                continue
            if popularity >= least and not left_out and seen.add(film_id):
                keys.append(key)
    if broken > max(10, number * _TOLERATED) or broken == number:
        how_many = f"{broken:,} of its {number:,} lines"
        raise SourceError(
            f"the id export of {day} is not what it should be: {how_many} are no films. Check TMDB_EXPORT_URL"
        )
    ids = array("q", (key & ((1 << _ID_BITS) - 1) for key in islice(_sorted(keys), limit)))
    return Export(ids, failures)


def _key(film_id: int, popularity: float) -> int:
    rank = round(min(max(popularity, 0.0), _MAX_POPULARITY) * 10_000)
    return ((1 << _POPULARITY_BITS) - 1 - rank) << _ID_BITS | film_id


def _sorted(keys: "array[int]") -> Iterator[int]:
    """The keys in order, sorted piece by piece: `sorted` would hold a Python object for each."""
    starts = range(0, len(keys), _CHUNK)
    for start in starts:
        keys[start : start + _CHUNK] = array("q", sorted(keys[start : start + _CHUNK]))
    return heapq.merge(*(iter(memoryview(keys)[start : start + _CHUNK]) for start in starts))
