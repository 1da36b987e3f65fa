"""The TMDB client: one request in, one outcome out.

An outcome is a `Row` to land (the film, or TMDB's 404 for it) or a `Failure` to record. Two kinds of error
decide everything: what may pass (429, 5xx, timeouts, resets, truncated or wrong bodies, missing blocks,
redirects) is tried again with full jitter; what can't (401) ends the run with `ConfigurationError`. Every
request, also a repeated one, waits for its turn at the `Pace`.
"""

import asyncio
import logging
import random
from collections.abc import AsyncIterator, Callable, Coroutine, Generator, Mapping
from contextlib import aclosing, asynccontextmanager
from functools import partial
from itertools import count
from typing import IO, Any, Final, NamedTuple, ParamSpec, TypeVar
from urllib.parse import urlencode

import backoff

from common.errors import ConfigurationError
from common.proxy import tls
from extractor import answer
from extractor.errors import FailedError, RetriableError, ThrottledError
from extractor.http import Pool, body_of, status_error
from extractor.pace import Pace
from extractor.rows import MAX_FAILED_BODY, Ask, Failure, Outcome, Row
from extractor.settings import Settings

log = logging.getLogger(__name__)

P = ParamSpec("P")
R = TypeVar("R")

#: The largest id export taken (bytes, packed): that of 2026 has 28 MB.
MAX_EXPORT: Final = 512 << 20
#: The longest that a download of the id export may take, s.
_EXPORT_SECONDS: Final = 1800
#: Waits between tries (s): full jitter up to _FIRST_WAIT · 2ⁿ, never above _MAX_WAIT.
_FIRST_WAIT: Final = 0.5
_MAX_WAIT: Final = 30.0
#: How often one request takes a 429 before it counts as failed; the pace slows down with each.
_MAX_THROTTLED: Final = 20
#: When so many films in a row came without their blocks after all tries, TMDB leaves them out for everybody:
#: until one comes whole, the next films are not asked for again.
_BLOCKS_ARE_OUT: Final = 100


class _Answer(NamedTuple):
    status: int
    body: bytes
    document: Any
    alteration: str | None
    lacking: tuple[str, ...] = ()


class Tmdb:
    """The API behind `settings.base_url`. Use `client`; counts its retries in `retried`."""

    def __init__(self, settings: Settings, pace: Pace, api: Pool, files: Pool) -> None:
        self.retried = 0
        self._secret = settings.token
        self._base = settings.base_url
        self._exports = settings.export_url
        self._language = settings.language
        self._blocks = settings.blocks
        self._without_blocks_in_a_row = 0
        self._pace = pace
        self._api = api
        self._files = files
        # A request takes its turn when a connection is free for it: its start is then that of the turn.
        self._slots = asyncio.Semaphore(settings.max_connections)
        self._retrying = _retrying(self._once, settings.max_tries, self._count)
        self._retrying_download = _retrying(self._download_once, settings.max_tries, self._count)

    async def fetch(self, ask: Ask) -> Outcome:
        """The film or list that `ask` names. Raises `ConfigurationError` on 401."""
        kind = answer.LISTS.get(ask.resource)
        path = kind.path if kind else f"/movie/{ask.resource_id}"
        check = answer.check_of(ask.resource, ask.resource_id)
        language = self._language if kind is None or kind.in_language else None
        blocks = self._blocks if ask.full else ()
        query = {"append_to_response": ",".join(blocks), "language": language}
        lesser: list[_Answer] = []
        try:
            found = await self._retrying(_path(path, query), check, kind is None, blocks, lesser)
        except FailedError as error:
            if not lesser:
                return self.failure(ask.resource, ask.resource_id, error)
            # The film can be landed, if only without what was asked for beside it.
            found = lesser[-1]
        if blocks and found.status == 200:
            self._without_blocks_in_a_row = self._without_blocks_in_a_row + 1 if found.lacking else 0
        about = (ask.resource, ask.resource_id, found.status, found.body, ask.selected_by, found.alteration)
        return Row(*about, language=language, lacking=found.lacking)

    async def page(self, path: str, check: answer.Check, **query: str | int | None) -> dict[str, Any]:
        """One page of a list of films, or an answer of `/find`. Raises `FailedError` when it can't be had."""
        document: dict[str, Any] = (await self._retrying(_path(path, query), check)).document
        return document

    async def download_export(self, name: str, file: IO[bytes]) -> bool:
        """The export `name` into `file`; False when there is none of that name. Raises `FailedError`."""
        return await self._retrying_download(f"{self._exports}/{name}", file)

    def failure(self, resource: str, resource_id: int, error: FailedError) -> Failure:
        """The record of `error`, without the token."""
        body = None if error.body is None else self._secret.redact_bytes(error.body)[0][:MAX_FAILED_BODY]
        detail = self._secret.redact(error.detail)[:2000]
        return Failure(resource, resource_id, error.reason, detail, error.status, body)

    def _count(self, _: object) -> None:
        self.retried += 1

    async def _once(
        self,
        path: str,
        check: answer.Check,
        may_be_gone: bool = False,
        blocks: tuple[str, ...] = (),
        lesser: list[_Answer] | None = None,
    ) -> _Answer:
        """One try. `blocks`: what the film must hold; an answer without them is also put into `lesser`."""
        async with self._slots:
            started = await self._pace.turn()
            async with self._api.get(self._base + path) as response:
                status = response.status_code
                body = await body_of(response)
        if status != 429:
            self._pace.answered()
        if status == 200:
            found = self._accepted(status, body, check, blocks)
            if lesser is not None and found.lacking:
                lesser.append(found)
                if self._without_blocks_in_a_row < _BLOCKS_ARE_OUT:
                    raise RetriableError("blocks_missing", f"without {', '.join(found.lacking)}", 200)
            return found
        if status == 401:
            raise ConfigurationError(
                f"TMDB refused the token (401, {self._secret.redact(answer.describe(body))}):"
                " check TMDB_TOKEN. It must be the v4 read access token, not the shorter v3 API key:"
                " https://www.themoviedb.org/settings/api"
            )
        if status == 404 and may_be_gone:
            return self._accepted(status, body, answer.gone)
        error = status_error(status, body, response.headers)
        if isinstance(error, ThrottledError):
            self._pace.throttled(started, error.retry_after)
        raise error

    def _accepted(
        self, status: int, received: bytes, check: answer.Check, blocks: tuple[str, ...] = ()
    ) -> _Answer:
        """What is landed of a body. Raises `RetriableError` when it is not what was asked for."""
        body, tokens = self._secret.redact_bytes(received)
        body, repaired = answer.repair(body)
        document = None
        try:
            document = answer.parse(body)
            check(document)
            body, left_out = answer.without_bad_blocks(body, document)
        except answer.BadBodyError as bad:
            bad.status, bad.body, bad.document = status, received, document
            if status == 404:  # not TMDB's own: that of a proxy, or of a path outside the API
                bad.reason = "not_tmdb_404"
            raise
        masked = f"masked the token {tokens} times" if tokens else None
        alteration = "; ".join(filter(None, (repaired, masked, left_out))) or None
        return _Answer(status, body, document, alteration, answer.lacking(document, blocks))

    async def _download_once(self, url: str, file: IO[bytes]) -> bool:
        await self._pace.turn()
        file.seek(0)
        file.truncate()
        async with self._files.get(url, _EXPORT_SECONDS) as response:
            status = response.status_code
            if status == 200:
                async for chunk in response.aiter_raw():
                    if file.tell() + len(chunk) > MAX_EXPORT:
                        raise FailedError("body_too_large", f"{url} has more than {MAX_EXPORT:,} bytes")
                    file.write(chunk)
                return True
            body = await body_of(response)
        if status in (403, 404):  # the file store's two ways to say that there is no such file
            return False
        error = status_error(status, body, response.headers)
        if type(error) is FailedError:
            error.detail = f"{url}: {error.detail}"
        raise error


@asynccontextmanager
async def client(settings: Settings, pace: Pace) -> AsyncIterator[Tmdb]:
    """A client for the length of a run. Raises `ConfigurationError` for certificates or a proxy of the
    environment that can't be used.
    """
    context, timeout = tls(), settings.timeout
    headers = {"Accept": "application/json", "Accept-Encoding": "gzip", "User-Agent": "tmdb-elt"}
    # The exports are on another host, which must not see the token.
    authorized = headers | {"Authorization": f"Bearer {settings.token.reveal()}"}
    async with (
        aclosing(Pool(settings.base_url, context, authorized, timeout, settings.max_connections)) as api,
        aclosing(Pool(settings.export_url, context, headers, timeout)) as files,
    ):
        yield Tmdb(settings, pace, api, files)


def _path(path: str, query: Mapping[str, Any]) -> str:
    """The path with what of the query is not empty."""
    given = {name: value for name, value in query.items() if value}
    # TMDB's names of blocks hold a slash and are set apart by commas.
    return f"{path}?{urlencode(given, safe=',/')}" if given else path


def _retrying(
    attempt: Callable[P, Coroutine[Any, Any, R]], max_tries: int, on_retry: Callable[[object], None]
) -> Callable[P, Coroutine[Any, Any, R]]:
    """`attempt`, tried `max_tries` times; a 429 goes back to the pace and has tries of its own."""
    retrying = partial(backoff.on_exception, jitter=None, logger=None)
    throttled = retrying(
        backoff.constant, ThrottledError, interval=0, max_tries=_MAX_THROTTLED, on_backoff=on_retry
    )
    others = retrying(_waits, RetriableError, max_tries=max_tries, on_backoff=[on_retry, _log_retry])
    return others(throttled(attempt))


def _waits() -> Generator[float, Any, None]:
    """Seconds to wait after each error: full jitter, but what the server asked for when it did."""
    error = yield 0.0
    for tries in count():
        jittered = random.uniform(0, min(_MAX_WAIT, _FIRST_WAIT * 2.0**tries))  # noqa: S311 (spreads load, guards nothing)
        error = yield (getattr(error, "retry_after", None) or 0.0) + jittered


def _log_retry(details: Any) -> None:
    log.debug("trying again in %.1f s: %s", details["wait"], details["exception"])
