"""The TMDB client: one request in, one outcome out.

An outcome is a `Row` to land (the film, or TMDB's 404 for it) or a `Failure` to record. Two kinds of error
decide everything: what may pass (429, 5xx, timeouts, resets, truncated or wrong bodies, redirects) is tried
again with full jitter; what can't (401) ends the run with `ConfigurationError`. Every request, also a
repeated one, waits for its turn at the `Pace`.
"""

import asyncio
import logging
import random
from collections.abc import AsyncIterator, Callable, Coroutine, Generator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from email.utils import parsedate_to_datetime
from typing import IO, Any, Final, ParamSpec, TypeVar
from urllib.parse import urlencode, urlsplit
from urllib.request import getproxies, proxy_bypass

import aiohttp
import backoff
import httpx
from httpx_aiohttp import AiohttpTransport

from extractor import body as bodies
from extractor.errors import ConfigurationError
from extractor.pace import Pace
from extractor.settings import Settings

log = logging.getLogger(__name__)

P = ParamSpec("P")
R = TypeVar("R")

#: The largest answer taken (bytes, unpacked). A film with its whole credits stays under 1 MB.
MAX_BODY: Final = 8 << 20
#: The largest id export taken (bytes, packed): that of 2026 has 28 MB.
MAX_EXPORT: Final = 512 << 20
#: The longest that a download of the id export may take, s.
_EXPORT_SECONDS: Final = 1800
#: What is kept of a body that could not be landed (bytes).
MAX_FAILED_BODY: Final = 64 << 10
#: Waits between tries (s): full jitter up to _BASE · 2ⁿ, never above _LONGEST; `Retry-After` is clamped to
#: _CLAMP.
_BASE: Final = 0.5
_LONGEST: Final = 30.0
_CLAMP: Final = 120.0
#: How often one request takes a 429 before it counts as failed; the pace slows down with each.
_MAX_THROTTLED: Final = 20

#: The lists that land on every run: resource → (path, check).
LISTS: Final[dict[str, tuple[str, bodies.Check]]] = {
    "genre_list": ("/genre/movie/list", bodies.genre_list),
    "country_list": ("/configuration/countries", bodies.bare_list("iso_3166_1")),
    "language_list": ("/configuration/languages", bodies.bare_list("iso_639_1")),
}


@dataclass(frozen=True, slots=True)
class Ask:
    """One resource to fetch. `full`: with credits and keywords. `selected_by`: why it is asked for."""

    resource: str
    resource_id: int
    selected_by: str
    full: bool = False


@dataclass(frozen=True, slots=True)
class Row:
    """What TMDB sent, to be landed as it is. `alteration`: what had to be changed for jsonb to hold it.
    `snapshot_date`: that of the run, when it has none of its own.
    """

    resource: str
    resource_id: int
    http_status: int
    body: bytes
    selected_by: str
    alteration: str | None = None
    snapshot_date: date | None = None


@dataclass(frozen=True, slots=True)
class Failure:
    """What could not be had: a short `reason`, the `detail` for a person, the last body or its beginning.
    `snapshot_date` as for a `Row`.
    """

    resource: str
    resource_id: int
    reason: str
    detail: str
    http_status: int | None = None
    body: bytes | None = None
    snapshot_date: date | None = None


Outcome = Row | Failure


class FailedError(Exception):
    """A request that no further try will mend, or that has had them all."""

    def __init__(
        self, reason: str, detail: str, status: int | None = None, body: bytes | None = None
    ) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail
        self.status = status
        self.body = body


class _RetriableError(FailedError):
    """May pass. `retry_after` (s): what the server asked for."""

    retry_after: float | None = None


class _ThrottledError(_RetriableError):
    """429: the pace makes everyone wait; the request goes again when it gets its turn."""


@dataclass(frozen=True, slots=True)
class _Answer:
    status: int
    body: bytes
    document: Any
    alteration: str | None


class _NoCookies(httpx.Cookies):
    """Keeps none: every request is like the first."""

    def extract_cookies(self, response: httpx.Response) -> None:
        """Leave them where they are."""


class _Client(httpx.AsyncClient):
    """httpx's client for one kind of request, told once.

    Cookies and the merging of headers, both of no use here, would be 40 % of its CPU time a request
    (measured: 0.58 and 0.34 ms).
    """

    def __init__(self, transport: httpx.AsyncBaseTransport, headers: dict[str, str], timeout: float) -> None:
        super().__init__(transport=transport, follow_redirects=False, trust_env=False)
        self._headers_once = httpx.Headers(headers)
        self._extensions = {"timeout": httpx.Timeout(timeout).as_dict()}
        self._cookies = _NoCookies()  # the public setter would copy it into a plain jar

    @asynccontextmanager
    async def get_stream(self, url: str) -> AsyncIterator[httpx.Response]:
        """The response to a GET, its body not read yet."""
        request = httpx.Request("GET", url, headers=self._headers_once, extensions=self._extensions)
        response = await self.send(request, stream=True)
        try:
            yield response
        finally:
            await response.aclose()


class Tmdb:
    """The API behind `settings.base_url`. Use `opened`; counts its retries in `retried`."""

    def __init__(self, settings: Settings, pace: Pace, api: _Client, files: _Client) -> None:
        self.retried = 0
        self._secret = settings.token
        self._base = settings.base_url
        self._exports = settings.export_url
        self._timeout = settings.timeout
        self._pace = pace
        self._api = api
        self._files = files
        self._retrying = _retrying(self._once, settings.max_tries, self._count)
        self._retrying_download = _retrying(self._download_once, settings.max_tries, self._count)

    async def fetch(self, ask: Ask) -> Outcome:
        """The film or list that `ask` names. Raises `ConfigurationError` on 401."""
        if ask.resource == "movie":
            query = "?append_to_response=credits,keywords" if ask.full else ""
            path, check = f"/movie/{ask.resource_id}{query}", bodies.movie(ask.resource_id)
        else:
            path, check = LISTS[ask.resource]
        try:
            answer = await self._retrying(path, check, ask.resource == "movie")
        except FailedError as error:
            return self.failure(ask.resource, ask.resource_id, error)
        return Row(
            ask.resource, ask.resource_id, answer.status, answer.body, ask.selected_by, answer.alteration
        )

    async def page(self, path: str, **query: str | int) -> dict[str, Any]:
        """One page of a list of films. Raises `FailedError` when it can't be had."""
        answer = await self._retrying(f"{path}?{urlencode(query)}", bodies.page, False)
        document: dict[str, Any] = answer.document
        return document

    async def download_export(self, name: str, file: IO[bytes]) -> bool:
        """The export `name` into `file`; False when there is none of that name. Raises `FailedError`."""
        return await self._retrying_download(f"{self._exports}/{name}", file)

    def failure(self, resource: str, resource_id: int, error: FailedError) -> Failure:
        """The record of `error`, without the token."""
        body = error.body
        if body is not None:
            body = self._secret.redact_bytes(body)[0][:MAX_FAILED_BODY]
        detail = self._secret.redact(error.detail)[:2000]
        return Failure(resource, resource_id, error.reason, detail, error.status, body)

    def _count(self, _: object) -> None:
        self.retried += 1

    async def _once(self, path: str, check: bodies.Check, may_be_gone: bool) -> _Answer:
        started = await self._pace.turn()
        with _transport_errors(self._timeout):
            async with asyncio.timeout(self._timeout), self._api.get_stream(self._base + path) as response:
                status = response.status_code
                body = await _read(response)
        if status != 429:
            self._pace.answered()
        if status == 200:
            return self._accept(body, check)
        error = _status_error(status, body, response.headers)
        if error is not None:
            if isinstance(error, _ThrottledError):
                self._pace.throttled(started, error.retry_after)
            raise error
        if status == 401:
            raise ConfigurationError(
                f"TMDB refused the token (401, {self._secret.redact(bodies.describe(body))}):"
                " check TMDB_TOKEN. It must be the v4 read access token, not the shorter v3 API key:"
                " https://www.themoviedb.org/settings/api"
            )
        if status == 404 and may_be_gone:
            return self._accept_gone(body)
        raise FailedError(f"http_{status}", bodies.describe(body), status, body)

    def _accept(self, received: bytes, check: bodies.Check) -> _Answer:
        body, alteration = self._cleaned(received)
        try:
            document = bodies.parse(body)
            check(document)
        except bodies.BadBodyError as error:
            raise _RetriableError(error.reason, error.detail, 200, received) from None
        return _Answer(200, body, document, alteration)

    def _accept_gone(self, received: bytes) -> _Answer:
        body, alteration = self._cleaned(received)
        try:
            document = bodies.parse(body)
        except bodies.BadBodyError:
            document = None
        if not bodies.gone(document):
            # not TMDB's own: a proxy's, or that of a path outside the API
            raise _RetriableError("not_tmdb_404", bodies.describe(received), 404, received)
        return _Answer(404, body, document, alteration)

    def _cleaned(self, received: bytes) -> tuple[bytes, str | None]:
        body, tokens = self._secret.redact_bytes(received)
        body, alteration = bodies.repair(body)
        if tokens:
            masked = f"masked the token {tokens} times"
            alteration = f"{alteration}; {masked}" if alteration else masked
        return body, alteration

    async def _download_once(self, url: str, file: IO[bytes]) -> bool:
        await self._pace.turn()
        file.seek(0)
        file.truncate()
        with _transport_errors(self._timeout):
            async with asyncio.timeout(_EXPORT_SECONDS), self._files.get_stream(url) as response:
                status = response.status_code
                if status == 200:
                    size = 0
                    async for chunk in response.aiter_raw():
                        size += len(chunk)
                        if size > MAX_EXPORT:
                            raise FailedError("body_too_large", f"{url} has more than {MAX_EXPORT:,} bytes")
                        file.write(chunk)
                    return True
                body = await _read(response)
        if status in (403, 404):  # the file store's two ways to say that there is no such file
            return False
        raise _status_error(status, body, response.headers) or FailedError(
            f"http_{status}", f"{url}: {bodies.describe(body)}", status, body
        )


@asynccontextmanager
async def opened(settings: Settings, pace: Pace) -> AsyncIterator[Tmdb]:
    """A client for the length of a run, on one pool of `settings.max_connections` connections."""
    context = httpx.create_ssl_context()  # always verifies
    headers = {"Accept": "application/json", "Accept-Encoding": "gzip", "User-Agent": "tmdb-elt"}

    def client(root: str, connections: int, headers: dict[str, str], *, once: bool) -> _Client:
        def session() -> aiohttp.ClientSession:
            # a connection used once is closed at once: it would count against the limit of connections
            connector = aiohttp.TCPConnector(limit=connections, ssl=context, force_close=once)
            made = aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar())
            # it would repeat a request by itself: unpaced, uncounted
            made._retry_connection = False
            return made

        transport = AiohttpTransport(client=session, verify=context, proxy=proxy_for(root))
        return _Client(transport, headers, settings.timeout)

    authorized = {**headers, "Authorization": f"Bearer {settings.token.reveal()}"}
    async with (
        client(settings.base_url, settings.max_connections, authorized, once=False) as api,
        # another host: it must not see the token
        client(settings.export_url, 1, headers, once=True) as files,
    ):
        yield Tmdb(settings, pace, api, files)


def _retrying(
    attempt: Callable[P, Coroutine[Any, Any, R]], max_tries: int, on_retry: Callable[[object], None]
) -> Callable[P, Coroutine[Any, Any, R]]:
    """`attempt`, tried `max_tries` times; a 429 goes back to the pace and has tries of its own."""
    throttled = backoff.on_exception(
        backoff.constant,
        _ThrottledError,
        interval=0,
        jitter=None,
        max_tries=_MAX_THROTTLED,
        on_backoff=on_retry,
        logger=None,
    )
    others = backoff.on_exception(
        _waits,
        _RetriableError,
        jitter=None,
        max_tries=max_tries,
        giveup=lambda error: isinstance(error, _ThrottledError),
        on_backoff=[on_retry, _log_retry],
        logger=None,
    )
    return others(throttled(attempt))


def _waits() -> Generator[float, Any, None]:
    """Seconds to wait after each error: full jitter, but what the server asked for when it did."""
    error = yield 0.0
    tries = 0
    while True:
        asked = getattr(error, "retry_after", None)
        jittered = random.uniform(0, min(_LONGEST, _BASE * 2.0**tries))  # noqa: S311 (spreads load, guards nothing)
        tries += 1
        error = yield jittered if asked is None else asked + jittered


def _log_retry(details: Any) -> None:
    log.debug("trying again in %.1f s: %s", details["wait"], details["exception"])


def _status_error(status: int, body: bytes, headers: httpx.Headers) -> _RetriableError | None:
    """The error of a status that may pass, or None."""
    reason = f"http_{status}"
    if status == 429:
        error: _RetriableError = _ThrottledError(reason, bodies.describe(body), status, body)
    elif status >= 500 or status in (408, 425):
        error = _RetriableError(reason, bodies.describe(body), status, body)
    elif 300 <= status < 400:
        # never followed: the token must not travel to where a Location points
        error = _RetriableError("redirect", f"redirected ({status}), which is not followed", status, body)
    elif 200 < status < 300:
        error = _RetriableError(reason, "an answer without a film", status, body)
    else:
        return None
    error.retry_after = retry_after(headers.get("retry-after"), datetime.now(UTC))
    return error


def retry_after(text: str | None, now: datetime) -> float | None:
    """Seconds that a `Retry-After` header asks to wait (a number or a date), 0 to 120; None when it says
    nothing.
    """
    if not text:
        return None
    try:
        seconds = float(text)
    except ValueError:
        try:
            when = parsedate_to_datetime(text)
        except ValueError:
            return None
        seconds = (when.replace(tzinfo=when.tzinfo or UTC) - now).total_seconds()
    if seconds != seconds:  # "nan" is a float, too
        return None
    return min(max(seconds, 0.0), _CLAMP)


async def _read(response: httpx.Response) -> bytes:
    """The unpacked body. Raises `_RetriableError` as soon as it is too large, without taking the rest."""
    status = response.status_code
    too_large = f"the body has more than {MAX_BODY:,} bytes"
    length = response.headers.get("content-length", "")
    if length.isdigit() and int(length) > MAX_BODY:
        raise _RetriableError("body_too_large", too_large, status)
    chunks: list[bytes] = []
    size = 0
    async for chunk in response.aiter_bytes():
        size += len(chunk)
        if size > MAX_BODY:
            raise _RetriableError("body_too_large", too_large, status, b"".join(chunks)[:MAX_FAILED_BODY])
        chunks.append(chunk)
    return b"".join(chunks)


@contextmanager
def _transport_errors(timeout: float) -> Iterator[None]:
    """What the network can do, as `_RetriableError`."""
    try:
        yield
    except (TimeoutError, httpx.TimeoutException) as error:
        # httpx-aiohttp reports some refused and lost connections as timeouts
        cause = error.__cause__
        if isinstance(cause, aiohttp.ClientConnectionError) and not isinstance(
            cause, aiohttp.ServerTimeoutError
        ):
            raise _RetriableError("connection", _words(cause)) from None
        raise _RetriableError("timeout", f"no answer within {timeout:g} s") from None
    except (httpx.HTTPError, httpx.InvalidURL, aiohttp.ClientError, OSError, EOFError) as error:
        raise _RetriableError("connection", _words(error)) from None


def _words(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__


def proxy_for(root: str) -> httpx.Proxy | None:
    """The proxy that the environment names (HTTPS_PROXY, NO_PROXY) for `root`; never one for this machine
    itself.
    """
    parts = urlsplit(root)
    host = parts.hostname or ""
    if host == "localhost" or host == "::1" or host.startswith("127.") or proxy_bypass(host):
        return None
    url = getproxies().get(parts.scheme)
    return httpx.Proxy(url) if url else None
