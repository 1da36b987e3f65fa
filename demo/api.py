"""The stand-in's HTTP side: TMDB's API v3 under /3, the daily id exports under /p/exports, its own control
under /_demo, which only this machine may use.

GET /_demo tells {"date", "requests", "peak_connections", …}; POST /_demo takes any of "date", the day to
answer for from now on, "faults" (see demo.faults) with their "seed", and "reset": forget what was counted.
"""

import asyncio
import re
import zlib
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from itertools import islice
from typing import Any, Final

import orjson
from aiohttp import web

from demo import answers, discover, reference
from demo.answers import ApiError
from demo.edits import Edited
from demo.faults import ConnectionCutError, Faults, streamed
from demo.query import Query, iso_date
from demo.slots import FIRST_DAY, LAST_DAY
from demo.source import BLOCKS
from demo.traffic import Traffic

CHANGES_PAGE: Final = 100
CHANGES_DAYS: Final = 14
APPENDED_MAX: Final = 20
#: Days for which the daily exports are kept ("3 months").
EXPORT_DAYS: Final = 90
#: What /find looks by.
FIND_SOURCES: Final = (
    "facebook_id", "imdb_id", "instagram_id", "tiktok_id", "tvdb_id", "twitter_id", "wikidata_id",
    "youtube_id",
)  # fmt: skip
_MOVIE: Final = re.compile(r"/movie/([0-9]+)")
_BLOCK: Final = re.compile(r"/movie/([0-9]+)/([a-z_/]+)")
_EXPORT: Final = "/p/exports/movie_ids_%m_%d_%Y.json.gz"
_EXPORT_CHUNK: Final = 500


class Api:
    """Answers requests. All its settings may be changed between two requests."""

    def __init__(self, films: Edited, token: str) -> None:
        self.films = films
        #: The bearer token that is accepted.
        self.token = token
        #: What came in so far.
        self.traffic = Traffic()
        #: Seconds that every answer under /3 is held back.
        self.latency = 0.0
        #: Share of discover's rows that repeat; None: 0.01 for the synthetic catalogue, 0 for a file.
        self.repeats: float | None = None
        #: Requests answered in any second; more get a 429. None: no limit.
        self.max_rps: int | None = None
        #: The faults that are injected; `Faults()` is none. `faults.injected` counts them by kind.
        self.faults = Faults()
        #: Is told path, status and body of each answer under /3 that is no fault, in the server's thread.
        self.watch: Callable[[str, int, bytes], None] | None = None
        #: TMDB's lists as they are answered, by path; may be changed.
        self.lists: dict[str, Any] = dict(reference.LISTS)
        self._today: date | None = None

    @property
    def today(self) -> date:
        """The day that is answered for; set it to None for the current UTC day."""
        return self._today or datetime.now(UTC).date()

    @today.setter
    def today(self, day: date | None) -> None:
        if day is not None and not FIRST_DAY <= day <= LAST_DAY:
            raise ValueError(f"the stand-in answers for days from {FIRST_DAY} to {LAST_DAY}, not for {day}")
        self._today = day

    async def __call__(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer one request."""
        path = request.path
        if path == "/_demo":
            return await self._control(request)
        self.traffic.arrived(path)
        status = 0
        try:
            response = await self._answer(request, path)
            status = response.status
            return response
        except ConnectionCutError:
            # aiohttp wants an answer; nobody is there to receive it
            return web.Response()
        finally:
            self.traffic.left(status)

    async def _answer(self, request: web.BaseRequest, path: str) -> web.StreamResponse:
        if path.startswith("/p/exports/"):
            return await self._export(request, path)
        if not path.startswith("/3/"):
            return answers.html(404)
        if self.max_rps is not None and (count := self.traffic.over(self.max_rps)):
            return answers.too_many(count, self.max_rps, "1")
        if self.latency:
            await asyncio.sleep(self.latency)
        if request.headers.get("Authorization") != f"Bearer {self.token}":
            return answers.error(7)
        right = self.route(request, path)
        kind = self._fault(request, found=right.status == 200)
        if kind is not None:
            return await self.faults.inject(kind, request, right)
        if self.watch is not None:
            body = right.body if isinstance(right.body, bytes) else b""
            self.watch(path.removeprefix("/3"), right.status, body)
        return right

    def _fault(self, request: web.BaseRequest, *, found: bool) -> str | None:
        return self.faults.choose(request.path, request.query_string, self.today.toordinal(), found=found)

    def route(self, request: web.BaseRequest, path: str) -> web.Response:
        """The API's own answer to an authorized request under /3."""
        try:
            body = self._body(path.removeprefix("/3"), request.query)
        except ApiError as problem:
            return answers.error(problem.code, str(problem))
        max_age = answers.MAX_AGE_DISCOVER if path.startswith("/3/discover/") else answers.MAX_AGE
        return answers.answer(body, max_age, if_none_match=request.headers.get("If-None-Match"))

    def _body(self, path: str, query: Mapping[str, str]) -> bytes:
        day, language, region = self.today.toordinal(), query.get("language", ""), query.get("region", "")
        if language.startswith("en"):
            language = ""
        if film := _MOVIE.fullmatch(path):
            return self.movie(int(film[1]), query.get("append_to_response", ""), day, language)
        if part := _BLOCK.fullmatch(path):
            return self.block(int(part[1]), part[2], day)
        if path == "/discover/movie":
            number, repeats = discover.page_number(query.get("page")), self.repeats
            if repeats is None:
                repeats = 0.01 if self.films.moves_between_pages else 0.0
            asked = Query.parse(query)
            body: Any = discover.page(self.films, asked, number, day, repeats, language, region)
        elif path == "/movie/changes":
            body = self._changes(*map(query.get, ("start_date", "end_date", "page")))
        elif path.startswith("/find/"):
            source, external_id = query.get("external_source"), path.removeprefix("/find/")
            if source not in FIND_SOURCES:
                raise ApiError(5)
            found = self.films.find(external_id, day) if source == "imdb_id" else None
            body = discover.found(self.films, found, day, language)
        elif path in self.lists:
            body = _list(path, self.lists[path], language, query.get("watch_region"))
        else:
            raise ApiError(34)
        return orjson.dumps(body)

    def movie(self, film_id: int, appended: str, day: int, language: str = "") -> bytes:
        """JSON of a film with the blocks asked for, in a language if that is not English. Raises ApiError 34
        where there is no such film, 27 for too many blocks; a block that TMDB does not know is left out, as
        TMDB does.
        """
        names = appended.split(",")
        if len(names) > APPENDED_MAX:
            raise ApiError(27)
        body = self.films.body(film_id, day)
        if body is None:
            raise ApiError(34)
        # a film of which no translations are known is the same in any language
        if language and (said := self.films.block("translations", film_id, day)):
            body = orjson.dumps(discover.translated(orjson.loads(body), said, language))
        parts = [
            b',"%b":%b' % (name.encode(), self.films.block(name, film_id, day) or nothing)
            for name, nothing in BLOCKS.items()
            if name in names
        ]
        return body.rstrip()[:-1] + b"".join(parts) + b"}" if parts else body

    def block(self, film_id: int, name: str, day: int) -> bytes:
        """JSON of a block by its own path. Raises ApiError 34 where there is no such film or block."""
        if name not in BLOCKS or self.films.body(film_id, day) is None:
            raise ApiError(34)
        block = self.films.block(name, film_id, day) or BLOCKS[name]
        return b'{"id":%d,%b' % (film_id, block.lstrip()[1:])

    def _changes(self, start: str | None, end: str | None, number: str | None) -> dict[str, Any]:
        """A page of the changes between two dates; of the last 24 hours without any."""
        first = date.fromisoformat(iso_date(start)) if start else None
        last = date.fromisoformat(iso_date(end)) if end else None
        if last is None:
            last = self.today if first is None else min(first + timedelta(days=CHANGES_DAYS), self.today)
        first = first or last - timedelta(days=1)
        if not 0 <= (last - first).days <= CHANGES_DAYS:
            raise ApiError(20)
        page = discover.page_number(number)
        rows = self.films.changes(first.toordinal(), min(last, self.today).toordinal())
        results = [
            {"id": row.film_id, "adult": row.adult, "softcore": None if row.adult is None else False}
            for row in rows[(page - 1) * CHANGES_PAGE : page * CHANGES_PAGE]
        ]
        total = {"total_pages": -(-len(rows) // CHANGES_PAGE), "total_results": len(rows)}
        return {"results": results, "page": page, **total}

    # --- daily export ---------------------------------------------------------------------------------------

    async def _export(self, request: web.BaseRequest, path: str) -> web.StreamResponse:
        try:
            day = datetime.strptime(path, _EXPORT).replace(tzinfo=UTC).date()
        except ValueError:
            day = date.max
        if not 0 <= (self.today - day).days < EXPORT_DAYS:
            # the store behind files.tmdb.org does not tell a missing file from a forbidden one
            body = b'<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>AccessDenied</Code></Error>'
            return web.Response(body=body, status=403, content_type="application/xml")
        kind = self._fault(request, found=True)
        if kind is not None and kind != "truncated":
            return await self.faults.inject(kind, request, web.Response())
        lines = _gzip_lines(self.films.export(day.toordinal()))
        return await streamed(request, lines, "application/gzip", cut=kind == "truncated")

    # --- controls -------------------------------------------------------------------------------------------

    async def _control(self, request: web.BaseRequest) -> web.Response:
        if not (request.remote or "").startswith(("127.", "::1", "::ffff:127.")):
            return web.json_response({"error": "The control is for this machine only."}, status=403)
        try:
            asked = orjson.loads(await request.read() or b"{}")
            if "date" in asked:
                self.today = date.fromisoformat(asked["date"])
            if "faults" in asked:
                self.faults = Faults.parse(asked["faults"], asked.get("seed", 0))
        except (ValueError, TypeError, AttributeError) as error:
            return web.json_response({"error": f"{error!r}"}, status=400)
        if asked.get("reset"):
            self.traffic.reset()
            self.faults.injected.clear()
        faults = dict(sorted(self.faults.injected.items()))
        return web.json_response({"date": self.today.isoformat(), **self.traffic.summary(), "faults": faults})


def _list(path: str, listed: Any, language: str, region: str | None) -> Any:
    """A list in a language, or of one region."""
    if path == "/genre/movie/list" and language:
        # no fallback here, unlike in a film: a name that is not translated is null
        names = reference.GENRE_NAMES_IN.get(language[:2], {})
        return {"genres": [{**genre, "name": names.get(genre["id"])} for genre in listed["genres"]]}
    if path == "/watch/providers/movie" and region:
        return {"results": [row for row in listed["results"] if region in row["display_priorities"]]}
    return listed


def _gzip_lines(rows: Iterator[Any]) -> Iterator[bytes]:
    """The rows as JSON Lines, packed; a piece at a time, so that no more than a piece is in memory."""
    packer = zlib.compressobj(1, wbits=31)
    while chunk := list(islice(rows, _EXPORT_CHUNK)):
        lines = b"".join(orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE) for row in chunk)
        yield packer.compress(lines) + packer.flush(zlib.Z_SYNC_FLUSH)
    yield packer.flush()
