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
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from itertools import accumulate, chain
from typing import Any, Final, NamedTuple, NoReturn, Self

import orjson
from aiohttp import web

from demo import answers
from demo.draws import UNIT, numbers

_FILM: Final = re.compile(r"/3/movie/(\d+)")
_PAGED: Final = ("/3/discover/movie", "/3/movie/changes")
_CHUNK: Final = b"lorem ipsum " * 5461


class ConnectionCutError(Exception):
    """The connection was ended on purpose; there is nobody to answer."""


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
        for item in filter(None, map(str.strip, text.split(","))):
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
        failed = self._failed.pop(key, 0)
        if failed < self.attempts:
            drawn = numbers(f"{self.seed}:{day}:{key}:{failed}", 1)[0] * UNIT
            bounds = zip(accumulate(self.rates.values()), self.rates, strict=True)
            kind = next((kind for bound, kind in bounds if drawn < bound), None)
            if kind is not None and _fits(kind, path, query, found):
                self._failed[key] = failed + 1
                self.injected[kind] += 1
                return kind
        return None

    async def inject(self, kind: str, request: web.BaseRequest, right: web.Response) -> web.StreamResponse:
        """Do to the request what the fault does; `right` is the answer that it would have had.

        Raises ConnectionCutError where that ends the connection.
        """
        done = KINDS[kind](_Case(self, request, right))
        return done if isinstance(done, web.StreamResponse) else await done


def _fits(kind: str, path: str, query: str, found: bool) -> bool:
    """Whether this kind of fault can befall the request; `found` says that its right answer is a 200."""
    if kind.startswith("page-"):
        return found and path in _PAGED
    if kind.startswith("blocks-") or kind in ("other-film", "nul"):
        asked = not kind.startswith("blocks-") or "append_to_response=" in query
        return found and asked and _FILM.fullmatch(path) is not None
    return kind != "list" or not path.startswith("/3/configuration/")


async def streamed(
    request: web.BaseRequest,
    pieces: Iterable[bytes],
    kind: str = answers.JSON,
    length: int | None = None,
    cut: bool = False,
) -> web.StreamResponse:
    """Answer piece by piece, in chunks or with a length announced; `cut` ends the connection after the first.

    Raises ConnectionCutError where the connection is ended, by whomever.
    """
    response = web.StreamResponse(headers={"Content-Type": kind})
    response.content_length = length
    try:
        await response.prepare(request)
        for piece in pieces:
            await response.write(piece)
            if cut:
                if request.transport is not None:
                    request.transport.close()
                raise ConnectionCutError
            # a client that reads fast must not keep the others waiting
            await asyncio.sleep(0)
        await response.write_eof()
    except ConnectionError as error:
        raise ConnectionCutError from error
    return response


# --- what they do -------------------------------------------------------------------------------------------


class _Case(NamedTuple):
    """A request that meets a fault, and the answer that it would have had."""

    faults: Faults
    request: web.BaseRequest
    right: web.Response

    @property
    def body(self) -> bytes:
        """The right answer's."""
        return self.right.body if isinstance(self.right.body, bytes) else b""

    @property
    def document(self) -> Any:
        """The same as an object: a film or a page."""
        return orjson.loads(self.body)

    def but(self, **keys: Any) -> web.Response:
        """200 with the right document, but for these keys."""
        return answers.ok(orjson.dumps(self.document | keys))

    def spoilt(self, *instead: Any) -> web.Response:
        """200 with the right film, but with this, or nothing, for some or all of its appended blocks."""
        film = self.document
        names = [name for name in self.request.query["append_to_response"].split(",") if name in film]
        drawn = numbers(f"{self.faults.seed}:blocks:{self.request.path_qs}", 1)[0]
        for name in [name for at, name in enumerate(names) if drawn >> at & 1] or names:
            del film[name]
            film.update((name, value) for value in instead)
        return answers.ok(orjson.dumps(film))

    def echo(self) -> web.Response:
        """500 that repeats the request's Authorization header."""
        header = self.request.headers.get("Authorization", "")
        return answers.error(11, f"Internal error while handling Authorization: {header}")

    def wait_until(self) -> str:
        """Retry-After as an HTTP date."""
        return format_datetime(datetime.now(UTC) + timedelta(seconds=self.faults.retry_after), usegmt=True)

    async def reset(self) -> NoReturn:
        """The connection is reset (RST): a socket that does not linger drops what it has."""
        if self.request.transport is not None:
            connection = self.request.transport.get_extra_info("socket")
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.request.transport.abort()
        raise ConnectionCutError

    async def hang(self) -> NoReturn:
        """No answer for a long time, unless the client goes away."""
        end = time.monotonic() + self.faults.hang_seconds
        while (transport := self.request.transport) is not None and not transport.is_closing():
            if time.monotonic() >= end:
                transport.close()
            await asyncio.sleep(0.05)
        raise ConnectionCutError

    async def truncated(self) -> web.StreamResponse:
        """The connection ends before the announced length."""
        half = self.body[: len(self.body) // 2]
        return await streamed(self.request, [half], length=len(self.body) + 1, cut=True)

    async def huge(self, *, announced: bool) -> web.StreamResponse:
        """200 with a huge body that is right in all but its size: whoever reads to the end finds nothing
        wrong. It comes in chunks of unknown number, or with its length announced.
        """
        size = self.faults.huge_bytes
        head, tail = self.body.rstrip().removesuffix(b"}") + b',"padding":"', b'"}'
        filling = range(size - len(head) - len(tail), 0, -len(_CHUNK))
        pieces = chain([head], (_CHUNK[:left] for left in filling), [tail])
        return await streamed(self.request, pieces, length=size if announced else None)


#: What each kind of fault does.
KINDS: Final[dict[str, Callable[[_Case], web.StreamResponse | Awaitable[web.StreamResponse]]]] = {
    "500": lambda case: answers.error(11),
    "502": lambda case: answers.html(502),
    "503": lambda case: answers.html(503),
    "429": lambda case: answers.too_many(46, 40, str(case.faults.retry_after)),
    "429-date": lambda case: answers.too_many(46, 40, case.wait_until()),
    "429-bare": lambda case: answers.too_many(46, 40, None),
    "429-text": lambda case: web.Response(status=429, text="Too many requests. Slow down.\n"),
    "reset": _Case.reset,
    "hang": _Case.hang,
    "truncated": _Case.truncated,
    # 200 with text that is not JSON; with a list where an object belongs; with the body of an error
    "text": lambda case: answers.ok(b"upstream connect error or disconnect/reset before headers"),
    "list": lambda case: answers.ok(b'[{"id":1},{"id":2}]'),
    "error-body": lambda case: answers.ok(answers.error_body(11)),
    # these two befall films only
    "other-film": lambda case: case.but(id=case.document.get("id", 0) + 1),
    "nul": lambda case: case.but(overview=f"Broken\0off: {case.document.get('overview', '')}"),
    "content-type": lambda case: web.Response(
        body=case.body, status=case.right.status, content_type="text/html"
    ),
    "huge": lambda case: case.huge(announced=False),
    "huge-length": lambda case: case.huge(announced=True),
    "redirect": lambda case: web.Response(
        status=302, headers={"Location": case.faults.redirect_to + case.request.path_qs}
    ),
    "echo": _Case.echo,
    # packed, without Content-Encoding
    "gzip": lambda case: answers.ok(gzip.compress(case.body, mtime=0), status=case.right.status),
    # films whose blocks were asked for: without them, with null or TMDB's error object in their place
    "blocks-missing": lambda case: case.spoilt(),
    "blocks-null": lambda case: case.spoilt(None),
    "blocks-error": lambda case: case.spoilt(orjson.loads(answers.error_body(34))),
    # paged lists: no rows, or half of them, though total_results says more; no rows, and total_results 0
    "page-empty": lambda case: case.but(results=[]),
    "page-short": lambda case: case.but(results=(rows := case.document["results"])[: len(rows) // 2]),
    "page-none": lambda case: case.but(results=[], total_pages=0, total_results=0),
}
