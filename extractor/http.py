"""HTTP for the client: one pool of connections to one host, and what the network can do as errors.

httpx is the interface and aiohttp the transport. Two of their private attributes are used, each for a reason
said beside it; a test names them, so that an upgrade which moves them is noticed.
"""

import ssl
import zlib
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Final

import aiohttp
import httpx
from httpx_aiohttp import AiohttpTransport

from common.proxy import proxy_for
from extractor import answer
from extractor.rows import MAX_BODY, MAX_FAILED_BODY

#: The longest wait that a `Retry-After` is granted, s.
_RETRY_AFTER_LIMIT: Final = 120.0
_GZIP: Final = b"\x1f\x8b"


class FailedError(Exception):
    """A request that no further try will mend, or that has had them all. `document`: what came, if it could
    be read and was not what was asked for.
    """

    document: Any = None

    def __init__(
        self, reason: str, detail: str, status: int | None = None, body: bytes | None = None
    ) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail
        self.status = status
        self.body = body


class RetriableError(FailedError):
    """May pass. `retry_after` (s): what the server asked for."""

    retry_after: float | None = None


class ThrottledError(RetriableError):
    """429: the pace makes everyone wait; the request goes again when it gets its turn."""


class _NoCookies(httpx.Cookies):
    """Keeps none: every request is like the first."""

    def extract_cookies(self, response: httpx.Response) -> None:
        """Leave them where they are."""


class Client(httpx.AsyncClient):
    """httpx's client for one kind of request, told once.

    Cookies and the merging of headers, both of no use here, would be 40 % of its CPU time a request
    (measured: 0.58 and 0.34 ms).
    """

    def __init__(self, transport: httpx.AsyncBaseTransport, headers: dict[str, str], timeout: float) -> None:
        super().__init__(transport=transport, follow_redirects=False, trust_env=False)
        self._headers_once = httpx.Headers(headers)
        self._timeouts = {"timeout": httpx.Timeout(timeout).as_dict()}
        self._cookies = _NoCookies()  # the public setter would copy it into a plain jar

    @asynccontextmanager
    async def get_stream(self, url: str) -> AsyncIterator[httpx.Response]:
        """The response to a GET, its body not read yet."""
        request = httpx.Request("GET", url, headers=self._headers_once, extensions=self._timeouts)
        response = await self.send(request, stream=True)
        try:
            yield response
        finally:
            await response.aclose()


def pooled(
    root: str,
    context: ssl.SSLContext,
    headers: dict[str, str],
    *,
    connections: int,
    timeout: float,
    keep_open: bool,
) -> Client:
    """A client for the host of `root` with at most `connections` connections, through the environment's
    proxy. `keep_open`: connections serve many requests; one used once is closed at once, as it would count
    against the host's limit of connections.
    """

    def session() -> aiohttp.ClientSession:
        connector = aiohttp.TCPConnector(limit=connections, ssl=context, force_close=not keep_open)
        made = aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar())
        # It would repeat a request by itself: unpaced, uncounted.
        made._retry_connection = False
        return made

    proxy = proxy_for(root)
    transport = AiohttpTransport(
        client=session, verify=context, proxy=httpx.Proxy(proxy) if proxy is not None else None
    )
    return Client(transport, headers, timeout)


async def body_of(response: httpx.Response) -> bytes:
    """The unpacked body. Raises `RetriableError` as soon as it is too large, without taking the rest.

    TMDB's CDN has sent packed bodies without saying so (`Content-Encoding` missing): gzip is known by its
    first bytes, with which no JSON begins, and unpacked within the same bound.
    """
    status = response.status_code
    length = response.headers.get("content-length", "")
    if length.isascii() and length.isdigit() and int(length[:20]) > MAX_BODY:
        raise _too_large(status)
    chunks: list[bytes] = []
    size = 0
    async for chunk in response.aiter_bytes():
        size += len(chunk)
        if size > MAX_BODY:
            raise _too_large(status, b"".join(chunks))
        chunks.append(chunk)
    body = b"".join(chunks)
    return _unpacked(body, status) if body.startswith(_GZIP) else body


def _unpacked(packed: bytes, status: int) -> bytes:
    reader = zlib.decompressobj(wbits=31)
    try:
        body = reader.decompress(packed, MAX_BODY + 1)
    except zlib.error as error:
        raise RetriableError(
            "not_gzip", f"a gzip body that can't be unpacked: {error}", status, packed
        ) from None
    if len(body) > MAX_BODY:
        raise _too_large(status, body)
    if not reader.eof:
        raise RetriableError("not_gzip", "a gzip body that ends too soon", status, packed)
    return body


def _too_large(status: int, begun: bytes | None = None) -> RetriableError:
    detail = f"the body has more than {MAX_BODY:,} bytes"
    return RetriableError(
        "body_too_large", detail, status, None if begun is None else begun[:MAX_FAILED_BODY]
    )


def status_error(status: int, body: bytes, headers: httpx.Headers) -> RetriableError | None:
    """The error of a status that may pass, or None."""
    reason = f"http_{status}"
    if status == 429:
        error: RetriableError = ThrottledError(reason, answer.describe(body), status, body)
    elif status >= 500 or status in (408, 425):
        error = RetriableError(reason, answer.describe(body), status, body)
    elif 300 <= status < 400:
        # Never followed: the token must not travel to where a Location points.
        error = RetriableError("redirect", f"redirected ({status}), which is not followed", status, body)
    elif 200 < status < 300:
        error = RetriableError(reason, "an answer without a film", status, body)
    else:
        return None
    error.retry_after = retry_after(headers.get("retry-after"), datetime.now(UTC))
    return error


def retry_after(text: str | None, now: datetime) -> float | None:
    """Seconds that a `Retry-After` header asks to wait (a number or a date), 0 to 120; None when it says
    nothing that can be understood.
    """
    if not text:
        return None
    try:
        seconds = float(text)
    except ValueError:
        try:
            when = parsedate_to_datetime(text)
            seconds = (when.replace(tzinfo=when.tzinfo or UTC) - now).total_seconds()
        except (ValueError, OverflowError):  # no date, or one of a year that no date has
            return None
    if seconds != seconds:  # "nan" is a float, too
        return None
    return min(max(seconds, 0.0), _RETRY_AFTER_LIMIT)


@contextmanager
def transport_errors(timeout: float) -> Iterator[None]:
    """What the network can do, as `RetriableError`."""
    try:
        yield
    except (TimeoutError, httpx.TimeoutException) as error:
        # httpx-aiohttp reports some refused and lost connections as timeouts.
        cause = error.__cause__
        if isinstance(cause, aiohttp.ClientConnectionError) and not isinstance(
            cause, aiohttp.ServerTimeoutError
        ):
            raise RetriableError("connection", _said(cause)) from None
        raise RetriableError("timeout", f"no answer within {timeout:g} s") from None
    except (httpx.HTTPError, httpx.InvalidURL, aiohttp.ClientError, OSError, EOFError) as error:
        raise RetriableError("connection", _said(error)) from None


def _said(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
