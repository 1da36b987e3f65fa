"""Tells a webhook of a failure: one POST of JSON, bounded in time and size, that never changes how the
program ends.

The address is a secret (chat systems put their key into its path): no log line shows more than its host.
"""

import logging
import threading
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import urlsplit

import backoff
import httpx
import orjson

from extractor.errors import ConfigurationError
from extractor.report import Report
from extractor.secret import Secret
from extractor.tmdb import proxy_for
from extractor.version import version

log = logging.getLogger(__name__)

VARIABLE: Final = "TMDB_NOTIFY_URL"

#: Seconds to wait for each step of one try, and for all of it, whatever hangs.
_SECONDS: Final = 4.0
_LONGEST: Final = 15.0
_TRIES: Final = 3
#: Seconds before the second try, at most; twice that before the third.
_PAUSE: Final = 0.5
#: Characters that a key has at least.
_SHORTEST_KEY: Final = 12
#: Characters of a reason that are sent.
MAX_REASON: Final = 1000


class _PassingError(Exception):
    """An answer after which another try may help."""


class _RefusedError(Exception):
    """An answer after which none will."""


def address(text: str | None) -> Secret | None:
    """The webhook that `text` names, None for none. Raises `ConfigurationError`, which does not show it."""
    given = (text or "").strip()
    if not given:
        return None
    try:
        parts = urlsplit(given)
        valid = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
        httpx.URL(given)
    except (ValueError, httpx.InvalidURL):
        valid = False
    if not valid:
        raise ConfigurationError(
            f"{VARIABLE} (--notify) must be an address like https://example.com/hook;"
            " its value is not shown because it may hold a key"
        )
    return Secret(given)


def secrets_of(url: Secret) -> list[Secret]:
    """What must not be logged of an address: all of it, and its parts that may hold a key."""
    parts = urlsplit(url.reveal())
    pieces = [parts.path.strip("/"), parts.query, parts.password or "", *parts.path.split("/")]
    # a short one is no key, but might be a word of any line
    return [url, *(Secret(text) for text in pieces if len(text) >= _SHORTEST_KEY)]


def summary(
    report: Report, *, step: str, status: str, exit_code: int, reason: str, secrets: Sequence[Secret] = ()
) -> dict[str, Any]:
    """What is sent: how the run ended, in plain values; neither token nor payload."""
    for secret in secrets:
        reason = secret.redact(reason)
    reason = " ".join(reason.split())
    if len(reason) > MAX_REASON:
        reason = reason[: MAX_REASON - 1] + "…"
    return {
        "text": f"tmdb-elt: {step} {status} (exit code {exit_code}): {reason}",
        "program": "tmdb-elt",
        "version": version(),
        "step": step,
        "status": status,
        "exit_code": exit_code,
        "reason": reason,
        "run_id": report.run_id,
        "mode": report.mode,
        "snapshot_date": report.snapshot_date,
        "started_at": report.started_at,
        "finished_at": datetime.now(UTC),
        "counts": asdict(report.counts),
    }


def send(url: Secret, content: dict[str, Any]) -> bool:
    """POST `content` as JSON; was it taken? If not, a warning in the log says why.

    An answer of 200 to 299 is a yes, of which nothing is read; redirects are not followed.
    """
    body = orjson.dumps(content)
    problems: list[str] = []

    def attempt() -> None:
        try:
            _post(url.reveal(), body)
        except Exception as error:  # whatever it is, the program ends as it would have without a webhook
            problems.append(_words(error))
        else:
            problems.append("")

    # in a thread of its own: nothing else bounds a name's resolution or an answer that drips
    thread = threading.Thread(target=attempt, daemon=True)
    thread.start()
    thread.join(_LONGEST)
    problem = problems[0] if problems else f"no answer within {_LONGEST:g} s"
    host = _host(url)
    if problem:
        for secret in secrets_of(url):
            problem = secret.redact(problem)
        log.warning("could not tell %s of this failure: %s. Check %s", host, problem, VARIABLE)
    else:
        log.info("told %s of this failure", host)
    return not problem


@backoff.on_exception(
    backoff.expo,
    (_PassingError, httpx.TransportError),
    max_tries=lambda: _TRIES,
    factor=_PAUSE,
    logger=None,
)
def _post(url: str, body: bytes) -> None:
    headers = {"Content-Type": "application/json", "User-Agent": f"tmdb-elt/{version()}"}
    verified = httpx.create_ssl_context()
    with (
        httpx.Client(
            verify=verified,
            timeout=_SECONDS,
            follow_redirects=False,
            trust_env=False,
            proxy=proxy_for(url),
        ) as client,
        client.stream("POST", url, content=body, headers=headers) as response,
    ):
        status = response.status_code
    if status == 429 or status >= 500:
        raise _PassingError(f"it answered {status}")
    if 300 <= status < 400:
        raise _RefusedError(f"it redirects ({status}), which is not followed")
    if not 200 <= status < 300:
        raise _RefusedError(f"it answered {status}")


def _host(url: Secret) -> str:
    parts = urlsplit(url.reveal())
    port = f":{parts.port}" if parts.port else ""
    return f"{parts.scheme}://{parts.hostname}{port}"


def _words(error: Exception) -> str:
    if isinstance(error, httpx.TimeoutException):
        return f"no answer within {_SECONDS:g} s, {_TRIES} times"
    return str(error) or type(error).__name__
