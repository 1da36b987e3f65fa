"""HTTP for the client: a pool of connections to one host, and what the network can do as errors.

Requests and responses are httpx's, the transport is aiohttp's, and both are used without httpx's client: of
what it adds (redirects, cookies, headers merged anew for each request) nothing is wanted here.
"""

import asyncio
import math
import ssl
import zlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final

import aiohttp
import httpx
from httpx_aiohttp import AiohttpTransport

from common.errors import one_line
from common.files import GZIP
from common.proxy import proxy_for
from extractor import answer
from extractor.errors import FailedError, RetriableError, ThrottledError
from extractor.rows import MAX_BODY, MAX_FAILED_BODY

#: The longest wait that a `Retry-After` is granted, s.
_RETRY_AFTER_LIMIT: Final = 120.0
#: What the network does to a request.
_NETWORK: Final = (httpx.HTTPError, httpx.InvalidURL, aiohttp.ClientError, OSError, EOFError)


class Pool:
    """At most `connections` connections to the host of `root`, through the environment's proxy; a request may
    take `timeout` seconds. Without a number: one, closed after each request, because it would count against
    the host's limit of connections for as long as it is open.
    """

    def __init__(
        self,
        root: str,
        context: ssl.SSLContext,
        headers: dict[str, str],
        timeout: float,
        connections: int | None = None,
    ) -> None:
        def session() -> aiohttp.ClientSession:
            is_kept = connections is not None
            connector = aiohttp.TCPConnector(limit=connections or 1, ssl=context, force_close=not is_kept)
            made = aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar())
            # aiohttp would send a request again by itself, which neither the pace nor the ledger would know.
            # It has no public way to be told so; a test names the attribute.
            made._retry_connection = False
            return made

        proxy = proxy_for(root)
        self._transport = AiohttpTransport(
            client=session, verify=context, proxy=httpx.Proxy(proxy) if proxy else None
        )
        self._headers = httpx.Headers(headers)
        self._timeout = timeout
        self._extensions = {"timeout": httpx.Timeout(timeout).as_dict()}
        self.aclose = self._transport.aclose

    @asynccontextmanager
    async def get(self, url: str, seconds: float | None = None) -> AsyncIterator[httpx.Response]:
        """The response to a GET, its body not read yet. Raises `RetriableError` for what the network does,
        also to the body, and when all of it takes longer than `seconds` (default: the pool's timeout).
        """
        request = httpx.Request("GET", url, headers=self._headers, extensions=self._extensions)
        try:
            async with asyncio.timeout(seconds or self._timeout):
                response = await self._transport.handle_async_request(request)
                try:
                    yield response
                finally:
                    await response.aclose()
        except _NETWORK as error:
            raise _lost(error, self._timeout) from None


def _lost(error: Exception, timeout: float) -> RetriableError:
    if isinstance(error, TimeoutError | httpx.TimeoutException):
        # httpx-aiohttp reports some refused and lost connections as timeouts.
        cause = error.__cause__
        is_late = isinstance(cause, aiohttp.ServerTimeoutError)
        if is_late or not isinstance(cause, aiohttp.ClientConnectionError):
            return RetriableError("timeout", f"no answer within {timeout:g} s")
        error = cause
    said = one_line(f"{type(error).__name__}: {error}")
    if isinstance(error, httpx.ProxyError | aiohttp.ClientProxyConnectionError):
        said = f"the proxy that HTTPS_PROXY, HTTP_PROXY or ALL_PROXY names: {said}"
    return RetriableError("connection", said)


async def body_of(response: httpx.Response) -> bytes:
    """The unpacked body. Raises `RetriableError` as soon as it is too large, without taking the rest.

    TMDB's CDN has sent packed bodies without saying so (`Content-Encoding` missing). So a body counts as
    packed when it begins as gzip does and no JSON can, whatever the header says.
    """
    status = response.status_code
    body = bytearray()
    async for chunk in response.aiter_raw():
        body += chunk
        if len(body) > MAX_BODY:
            raise _too_large(status, body)
    if not body.startswith(GZIP):
        return bytes(body)
    unpacker = zlib.decompressobj(wbits=31)
    try:
        unpacked = unpacker.decompress(body, MAX_BODY + 1)
        if len(unpacked) > MAX_BODY:
            raise _too_large(status, unpacked)
        problem = None if unpacker.eof else "ends too soon"
    except zlib.error as error:
        problem = f"can't be unpacked: {error}"
    if problem:
        raise RetriableError("not_gzip", f"a gzip body that {problem}", status, bytes(body))
    return unpacked


def _too_large(status: int, begun: bytes | bytearray) -> RetriableError:
    detail = f"the body has more than {MAX_BODY:,} bytes"
    return RetriableError("body_too_large", detail, status, bytes(begun[:MAX_FAILED_BODY]))


def status_error(status: int, body: bytes, headers: httpx.Headers) -> FailedError:
    """The error of a status that is not 200: a `RetriableError` or `ThrottledError` when it may pass."""
    reason, detail = f"http_{status}", answer.describe(body)
    kind: type[FailedError] = RetriableError
    if status == 429:
        kind = ThrottledError
    elif 300 <= status < 400:
        # Never followed: the token must not travel to where a Location points.
        reason, detail = "redirect", f"redirected ({status}), which is not followed"
    elif 200 < status < 300:
        detail = "an answer without a film"
    elif status == 407:
        kind, detail = FailedError, "the proxy of HTTP_PROXY wants a user name and a password, or others"
    elif status < 500 and status not in (408, 425):
        kind = FailedError
    wait = retry_after(headers.get("retry-after"), datetime.now(UTC))
    return kind(reason, detail, status, body, retry_after=wait)


def retry_after(text: str | None, now: datetime) -> float | None:
    """Seconds that a `Retry-After` header asks to wait (a number or a date), 0 to 120; None when it says
    nothing that can be understood.
    """
    try:
        seconds = float(text or "nan")
    except ValueError:
        try:
            when = parsedate_to_datetime(text or "")
            seconds = (when.replace(tzinfo=when.tzinfo or UTC) - now).total_seconds()
        except (ValueError, OverflowError):  # no date, or one of a year that no date has
            return None
    # "nan" is a float, too, and says nothing
    return None if math.isnan(seconds) else min(max(seconds, 0.0), _RETRY_AFTER_LIMIT)
