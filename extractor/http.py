"""HTTP for the client: a pool of connections to one host, and what the network can do as errors.

Requests and responses are httpx's, the transport is aiohttp's, and both are used without httpx's client: of
what it adds (redirects, cookies, headers merged anew for each request) nothing is wanted here.
"""

import asyncio
import ssl
import zlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Final

import aiohttp
import httpx
from httpx_aiohttp import AiohttpTransport

from common.files import GZIP
from common.proxy import proxy_for
from extractor import answer
from extractor.rows import MAX_BODY, MAX_FAILED_BODY

#: The longest wait that a `Retry-After` is granted, s.
_RETRY_AFTER_LIMIT: Final = 120.0


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


class Pool:
    """At most `connections` connections to the host of `root`, through the environment's proxy.

    `keep_open`: each serves many requests. One that is to serve a single request is closed after it, because
    it would count against the host's limit of connections for as long as it is open.
    """

    def __init__(
        self,
        root: str,
        context: ssl.SSLContext,
        headers: dict[str, str],
        *,
        connections: int,
        timeout: float,
        keep_open: bool,
    ) -> None:
        def session() -> aiohttp.ClientSession:
            connector = aiohttp.TCPConnector(limit=connections, ssl=context, force_close=not keep_open)
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

    async def aclose(self) -> None:
        """End all connections."""
        await self._transport.aclose()

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
        except (TimeoutError, httpx.TimeoutException) as error:
            # httpx-aiohttp reports some refused and lost connections as timeouts.
            cause = error.__cause__
            if isinstance(cause, aiohttp.ClientConnectionError) and not isinstance(
                cause, aiohttp.ServerTimeoutError
            ):
                raise _lost(cause) from None
            raise RetriableError("timeout", f"no answer within {self._timeout:g} s") from None
        except (httpx.HTTPError, httpx.InvalidURL, aiohttp.ClientError, OSError, EOFError) as error:
            raise _lost(error) from None


def _lost(error: BaseException) -> RetriableError:
    name = type(error).__name__
    return RetriableError("connection", f"{name}: {error}" if str(error) else name)


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
    except zlib.error as error:
        detail = f"a gzip body that can't be unpacked: {error}"
        raise RetriableError("not_gzip", detail, status, bytes(body)) from None
    if len(unpacked) > MAX_BODY:
        raise _too_large(status, unpacked)
    if not unpacker.eof:
        raise RetriableError("not_gzip", "a gzip body that ends too soon", status, bytes(body))
    return unpacked


def _too_large(status: int, begun: bytes | bytearray) -> RetriableError:
    detail = f"the body has more than {MAX_BODY:,} bytes"
    return RetriableError("body_too_large", detail, status, bytes(begun[:MAX_FAILED_BODY]))


def status_error(status: int, body: bytes, headers: httpx.Headers) -> RetriableError | None:
    """The error of a status that may pass, or None."""
    reason, detail, kind = f"http_{status}", answer.describe(body), RetriableError
    if status == 429:
        kind = ThrottledError
    elif 300 <= status < 400:
        # Never followed: the token must not travel to where a Location points.
        reason, detail = "redirect", f"redirected ({status}), which is not followed"
    elif 200 < status < 300:
        detail = "an answer without a film"
    elif status < 500 and status not in (408, 425):
        return None
    error = kind(reason, detail, status, body)
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
