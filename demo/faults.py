"""Faults that the stand-in injects on request: what a network, a CDN and an API do on bad days.

Off by default. A specification is a list such as `500=0.02,reset=0.01,hang=0.005,hang-seconds=20`:

| item | meaning |
| --- | --- |
| `KIND=P` | that share of the requests fails so; KINDS lists the kinds |
| `all=P` | that share of the requests fails, all kinds alike |
| `attempts=N` | after N failures in a row (default 3) the same request passes, whatever is drawn |
| `permanent=ID:KIND+ID:KIND` | these films fail so every time |
| `paths=REGEX` | only requests whose path it matches (default `/3/`) |
| `hang-seconds=S` | how long a hanging request is held (default 3600) |
| `retry-after=S` | seconds that a 429 asks for (default 1) |
| `huge-mb=N` | size of a huge body (default 40) |
| `redirect-to=URL` | where a redirect leads, before the path (default http://127.0.0.1:9) |

Which request fails how is a function of the seed, the day, the request's path and query, and how often it has
failed in a row; so a run can be repeated, and a retry has another fate than the attempt before.
"""

import asyncio
import gzip
import re
import socket
import struct
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from itertools import accumulate
from typing import Any, Final, Self

import orjson
from aiohttp import web

from demo import answers
from demo.draws import UNIT, numbers

#: Kinds of faults, and what each does.
KINDS: Final = {
    "500": "500 with TMDB's JSON, code 11",
    "502": "502 with a page of HTML",
    "503": "503 with a page of HTML",
    "429": "429 with Retry-After in seconds",
    "429-date": "429 with Retry-After as an HTTP date",
    "429-bare": "429 without Retry-After",
    "429-text": "429 with a body that is not JSON",
    "reset": "the connection is reset (RST)",
    "hang": "no answer for a long time",
    "truncated": "the connection ends before the announced length",
    "text": "200 with text that is not JSON",
    "list": "200 with a JSON list where an object belongs (not for the lists that are bare arrays)",
    "error-body": "200 with the body of an error",
    "other-film": "200 with another film's id (films only)",
    "nul": "200 with the right film, \\u0000 in its overview (films only)",
    "content-type": "200 with the right body as text/html",
    "huge": "200 with a body of 40 MB in chunks of unknown number",
    "huge-length": "200 with a body of 40 MB, announced in Content-Length",
    "redirect": "302 to another host",
    "echo": "500 that repeats the request's Authorization header",
    "gzip": "the right answer packed by gzip, without Content-Encoding",
    "blocks-missing": "200 without blocks that append_to_response asks for",
    "blocks-null": "200 with such blocks null",
    "blocks-error": "200 with TMDB's error object (code 34) in the place of such blocks",
    "page-empty": "200 with a page without rows, though its total_results says more (paged lists only)",
    "page-short": "200 with a page of half its rows, with the right total_results (paged lists only)",
    "page-none": "200 with a page without rows and total_results 0 (paged lists only)",
}
_FILM: Final = re.compile(r"/3/movie/(\d+)")
_PAGED: Final = ("/3/discover/movie", "/3/movie/changes")
_CHUNK: Final = b"lorem ipsum " * 5461

#: 200 with another body.
_BODIES: Final = {
    "text": b"upstream connect error or disconnect/reset before headers",
    "list": b'[{"id":1},{"id":2}]',
    "error-body": answers.error_body(11),
}
#: 200 with the right document, a film or a page, but for these keys.
_KEYS: Final[dict[str, Callable[[dict[str, Any]], dict[str, Any]]]] = {
    "other-film": lambda film: {"id": film.get("id", 0) + 1},
    "nul": lambda film: {"overview": f"Broken\0off: {film.get('overview', '')}"},
    "page-empty": lambda page: {"results": []},
    "page-short": lambda page: {"results": page["results"][: len(page["results"]) // 2]},
    "page-none": lambda page: {"results": [], "total_pages": 0, "total_results": 0},
}
#: 200 with the right film, but this in the place of some of its blocks, or nothing at all.
_BLOCKS: Final[dict[str, list[Any]]] = {
    "blocks-missing": [],
    "blocks-null": [None],
    "blocks-error": [orjson.loads(answers.error_body(34))],
}


def _permanent(text: str) -> dict[int, str]:
    pairs = (pair.partition(":") for pair in text.split("+"))
    return {int(film): kind for film, _, kind in pairs}


#: Items of a specification that are not kinds: the field that each sets, and how it is read.
_OPTIONS: Final[dict[str, tuple[str, Callable[[str], Any]]]] = {
    "attempts": ("attempts", int),
    "permanent": ("permanent", _permanent),
    "paths": ("paths", str),
    "hang-seconds": ("hang_seconds", float),
    "retry-after": ("retry_after", int),
    "huge-mb": ("huge_bytes", lambda text: int(text) * 1024 * 1024),
    "redirect-to": ("redirect_to", lambda text: text.rstrip("/")),
}


class ConnectionCutError(Exception):
    """The connection was ended on purpose; there is nobody to answer."""


@dataclass
class Faults:
    """Which faults are injected how often. `injected` counts those that were."""

    rates: Mapping[str, float] = field(default_factory=dict)
    seed: int = 0
    attempts: int = 3
    permanent: Mapping[int, str] = field(default_factory=dict)
    paths: str = "/3/"
    hang_seconds: float = 3600.0
    retry_after: int = 1
    huge_bytes: int = 40 * 1024 * 1024
    redirect_to: str = "http://127.0.0.1:9"
    injected: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        unknown = [kind for kind in (*self.rates, *self.permanent.values()) if kind not in KINDS]
        if unknown:
            raise ValueError(f"no such fault: {', '.join(unknown)}. There are {', '.join(KINDS)}")
        if not 0 <= sum(self.rates.values()) <= 1 or min(self.rates.values(), default=0) < 0:
            raise ValueError("the shares of the faults must be 0 to 1, together too")
        try:
            self._paths = re.compile(self.paths)
        except re.error as error:
            raise ValueError(f"paths is no regular expression: {error}") from error
        #: Failures in a row by request; a request that passes is forgotten.
        self._failed: dict[str, int] = {}

    @classmethod
    def parse(cls, text: str, seed: int = 0) -> Self:
        """The faults of a specification (see above). Raises ValueError for one that is not understood."""
        rates: dict[str, float] = {}
        options: dict[str, Any] = {}
        for item in filter(None, (item.strip() for item in text.split(","))):
            name, equals, value = item.partition("=")
            if not equals:
                raise ValueError(f"{item!r} is not of the form NAME=VALUE")
            try:
                if name in _OPTIONS:
                    option, read = _OPTIONS[name]
                    options[option] = read(value)
                elif name == "all":
                    rates.update(dict.fromkeys(KINDS, float(value) / len(KINDS)))
                else:
                    rates[name] = float(value)
            except ValueError as error:
                raise ValueError(f"{item!r}: {error}") from error
        return cls(rates, seed, **options)

    def choose(self, path: str, query: str, day: int, *, found: bool) -> str | None:
        """The kind of fault that this request meets, or None. `found` says that its right answer is a 200."""
        film = _FILM.fullmatch(path)
        lost = self.permanent.get(int(film[1])) if film else None
        if lost and _fits(lost, path, query, found):
            self.injected[lost] += 1
            return lost
        if not self.rates or not self._paths.match(path):
            return None
        key = f"{path}?{query}"
        failed = self._failed.get(key, 0)
        if failed < self.attempts:
            drawn = numbers(f"{self.seed}:{day}:{key}:{failed}", 1)[0] * UNIT
            bounds = zip(accumulate(self.rates.values()), self.rates, strict=True)
            kind = next((kind for bound, kind in bounds if drawn < bound), None)
            if kind is not None and _fits(kind, path, query, found):
                self._failed[key] = failed + 1
                self.injected[kind] += 1
                return kind
        self._failed.pop(key, None)
        return None

    async def inject(self, kind: str, request: web.BaseRequest, right: web.Response) -> web.StreamResponse:
        """Do to the request what the fault does; `right` is the answer that it would have had.

        Raises ConnectionCutError where that ends the connection.
        """
        body = right.body if isinstance(right.body, bytes) else b""
        if kind in _BODIES:
            return answers.ok(_BODIES[kind])
        if kind in _KEYS:
            document = orjson.loads(body)
            return answers.ok(orjson.dumps(document | _KEYS[kind](document)))
        if kind in _BLOCKS:
            return answers.ok(orjson.dumps(self._without_blocks(kind, request, orjson.loads(body))))
        match kind:
            case "500":
                return answers.error(11)
            case "echo":
                header = request.headers.get("Authorization", "")
                return answers.error(11, f"Internal error while handling Authorization: {header}")
            case "502" | "503":
                return answers.html(int(kind), _gateway_page(kind))
            case "gzip":
                packed = gzip.compress(body, mtime=0)
                return answers.ok(packed, status=right.status)
            case "content-type":
                return web.Response(body=body, status=right.status, content_type="text/html")
            case "redirect":
                return web.Response(status=302, headers={"Location": self.redirect_to + request.path_qs})
            case "huge" | "huge-length":
                return await self._huge(request, body, announced=kind == "huge-length")
            case "reset":
                _reset(request)
            case "hang":
                await self._hang(request)
            case "truncated":
                await _truncate(request, body)
            case _:
                return self._too_many(kind)
        raise ConnectionCutError

    def _without_blocks(self, kind: str, request: web.BaseRequest, film: dict[str, Any]) -> dict[str, Any]:
        """The film with some of its appended blocks, or all, as the fault leaves them: drawn by request."""
        names = [name for name in request.query["append_to_response"].split(",") if name in film]
        drawn = numbers(f"{self.seed}:blocks:{request.path_qs}", 1)[0]
        spoilt = [name for at, name in enumerate(names) if drawn >> at & 1] or names
        kept = {name: value for name, value in film.items() if name not in spoilt}
        return kept | {name: value for name in spoilt for value in _BLOCKS[kind]}

    def _too_many(self, kind: str) -> web.Response:
        if kind == "429-text":
            return web.Response(status=429, text="Too many requests. Slow down.\n")
        response = answers.too_many(46, 40)
        if kind == "429":
            response.headers["Retry-After"] = str(self.retry_after)
        elif kind == "429-date":
            until = datetime.now(UTC) + timedelta(seconds=self.retry_after)
            response.headers["Retry-After"] = format_datetime(until, usegmt=True)
        return response

    async def _hang(self, request: web.BaseRequest) -> None:
        end = asyncio.get_running_loop().time() + self.hang_seconds
        while asyncio.get_running_loop().time() < end:
            if request.transport is None or request.transport.is_closing():
                return
            await asyncio.sleep(0.05)
        close(request)

    async def _huge(self, request: web.BaseRequest, right: bytes, *, announced: bool) -> web.StreamResponse:
        # right in all but its size: whoever reads to the end will find nothing wrong
        response = web.StreamResponse(headers={"Content-Type": "application/json;charset=utf-8"})
        head, tail = right.rstrip().removesuffix(b"}") + b',"padding":"', b'"}'
        if announced:
            response.content_length = self.huge_bytes
        try:
            await response.prepare(request)
            await response.write(head)
            async for chunk in _filler(self.huge_bytes - len(head) - len(tail)):
                await response.write(chunk)
            await response.write(tail)
            await response.write_eof()
        except ConnectionError as error:
            raise ConnectionCutError from error
        return response


def _fits(kind: str, path: str, query: str, found: bool) -> bool:
    """Whether this kind of fault can befall the request; `found` says that its right answer is a 200."""
    film = found and _FILM.fullmatch(path) is not None
    if kind in _BLOCKS:
        return film and "append_to_response=" in query
    if kind in _KEYS:
        return found and path in _PAGED if kind.startswith("page-") else film
    return kind != "list" or not path.startswith("/3/configuration/")


def close(request: web.BaseRequest) -> None:
    """End the connection in good order, after what was written."""
    if request.transport is not None:
        request.transport.close()


def _reset(request: web.BaseRequest) -> None:
    """End the connection with a reset (RST): a socket that does not linger drops what it has."""
    transport = request.transport
    if transport is not None:
        connection = transport.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        transport.abort()


async def _truncate(request: web.BaseRequest, body: bytes) -> None:
    response = web.StreamResponse(headers={"Content-Type": "application/json;charset=utf-8"})
    response.content_length = len(body) + 1
    await response.prepare(request)
    await response.write(body[: len(body) // 2])
    close(request)


async def _filler(size: int) -> AsyncIterator[bytes]:
    for _ in range(size // len(_CHUNK)):
        yield _CHUNK
        # a client that reads fast must not keep the others waiting
        await asyncio.sleep(0)
    yield _CHUNK[: size % len(_CHUNK)]


def _gateway_page(status: str) -> bytes:
    title = {"502": "502 Bad Gateway", "503": "503 Service Temporarily Unavailable"}[status]
    head, body = f"<head><title>{title}</title></head>", f"<body><h1>{title}</h1></body>"
    return f"<html>\r\n{head}\r\n{body}\r\n</html>\r\n".encode()
