"""Tells a webhook of a failure: one POST of JSON, bounded in time and size, that never changes how the
program ends.

The address is a secret (chat systems put their key into its path): no log line shows more than its host.
"""

import logging
import random
import threading
import time
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import urlsplit

import orjson

from common.errors import ConfigurationError
from common.proxy import proxy_for, tls
from common.report import Report
from common.secret import Secret, redact_all
from common.version import version

log = logging.getLogger(__name__)

VARIABLE: Final = "TMDB_NOTIFY_URL"

#: Seconds to wait for each step of one try, and for all of it, whatever hangs.
_STEP_SECONDS: Final = 4.0
_ALL_SECONDS: Final = 15.0
_TRIES: Final = 3
#: Seconds before the second try, at most; twice that before the third.
_PAUSE: Final = 0.5
#: Characters that a key has at least.
_SHORTEST_KEY: Final = 12
#: Characters of a reason that are sent.
MAX_REASON: Final = 1000


def address(text: str | None) -> Secret | None:
    """The webhook that `text` names, None for none. Raises `ConfigurationError`, which does not show it."""
    given = (text or "").strip()
    if not given:
        return None
    try:
        parts = urlsplit(given)
        valid = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        valid = False
    if not valid or not given.isascii() or not given.isprintable() or " " in given:
        raise ConfigurationError(
            f"{VARIABLE} must be an address like https://example.com/hook;"
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
    reason = " ".join(redact_all(reason, secrets).split())
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


def send(url: Secret, content: dict[str, Any], *, seconds: float | None = None) -> bool:
    """POST `content` as JSON; was it taken within `seconds` (default: 15)? If not, a warning in the log says
    why.

    An answer of 200 to 299 is a yes, of which nothing is read; redirects are not followed.
    """
    body = orjson.dumps(content)
    problems: list[str] = []
    # In a thread of its own: nothing else bounds a name's resolution or an answer that drips.
    thread = threading.Thread(target=lambda: problems.append(_attempts(url.reveal(), body)), daemon=True)
    thread.start()
    seconds = _ALL_SECONDS if seconds is None else seconds
    thread.join(seconds)
    problem = problems[0] if problems else f"no answer within {seconds:g} s"
    parts = urlsplit(url.reveal())
    host = f"{parts.scheme}://{parts.hostname}{f':{parts.port}' if parts.port else ''}"
    if problem:
        problem = redact_all(problem, secrets_of(url))
        log.warning("could not tell %s of this failure: %s. Check %s", host, problem, VARIABLE)
    else:
        log.info("told %s of this failure", host)
    return not problem


def _attempts(url: str, body: bytes) -> str:
    """POST until it is taken or refused, or the tries are used up; what is wrong, in words, or nothing.

    Whatever goes wrong is said and never raised: the program ends as it would have without a webhook.
    """
    import httpx

    headers = {"Content-Type": "application/json", "User-Agent": f"tmdb-elt/{version()}"}
    problem = ""
    try:
        with httpx.Client(
            verify=tls(), timeout=_STEP_SECONDS, follow_redirects=False, trust_env=False, proxy=proxy_for(url)
        ) as client:
            for attempt in range(_TRIES):
                if attempt:
                    time.sleep(random.uniform(0, _PAUSE * attempt))  # noqa: S311 (spreads load, guards nothing)
                try:
                    with client.stream("POST", url, content=body, headers=headers) as response:
                        status = response.status_code
                except httpx.TimeoutException:
                    problem = f"no answer within {_STEP_SECONDS:g} s, {_TRIES} times"
                    continue
                except httpx.TransportError as error:
                    problem = str(error) or type(error).__name__
                    continue
                if 200 <= status < 300:
                    return ""
                if 300 <= status < 400:
                    return f"it redirects ({status}), which is not followed"
                problem = f"it answered {status}"
                if status != 429 and status < 500:
                    return problem
    except Exception as error:
        return str(error) or type(error).__name__
    return problem
