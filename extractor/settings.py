"""The settings of a run, checked once, with every wrong one named.

Where they come from (option > environment > `.env` > default) is `cli`'s business; here they are text.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Final, TypeVar
from urllib.parse import urlsplit

from extractor.errors import ConfigurationError
from extractor.secret import Secret

T = TypeVar("T")

MODES: Final = ("popular", "export", "changes")

DEFAULTS: Final[Mapping[str, str]] = {
    "TMDB_BASE_URL": "https://api.themoviedb.org/3",
    "TMDB_EXPORT_URL": "https://files.tmdb.org/p/exports",
    "TMDB_MODE": "popular",
    "TMDB_PAGES": "50",
    "TMDB_TRACK_DAYS": "30",
    "TMDB_FULL_DAYS": "30",
    "TMDB_MAX_RPS": "40",
    "TMDB_MAX_CONNECTIONS": "20",
    "TMDB_TIMEOUT": "20",
    "TMDB_MAX_TRIES": "6",
    "TMDB_PROGRESS_SECONDS": "10",
}

HOW_TO_BEGIN: Final = (
    "no TMDB_TOKEN is set: put your TMDB v4 read access token into .env or the environment"
    " (https://www.themoviedb.org/settings/api), or see it all work without an account: make demo"
)


@dataclass(frozen=True)
class Settings:
    """What one run does. Rates are requests a second, times seconds, `pages` are of 20 films."""

    token: Secret
    base_url: str
    export_url: str
    mode: str
    snapshot_date: date
    pages: int
    limit: int | None
    min_popularity: float | None
    track_days: int
    full_days: int
    max_rps: float
    max_connections: int
    timeout: float
    max_tries: int
    progress_seconds: float
    dry_run: bool


def today() -> date:
    """The UTC date: days are UTC everywhere."""
    return datetime.now(UTC).date()


def load(given: Mapping[str, str | None], *, dry_run: bool = False) -> Settings:
    """The settings in `given`, by variable name; what is missing or empty takes its default.

    Raises `ConfigurationError` that names each wrong setting and what it may be.
    """
    read = _Reader(given)
    token = read.token()
    mode = read.value("TMDB_MODE", _one_of(MODES))
    settings = Settings(
        token=token,
        base_url=read.value("TMDB_BASE_URL", _url),
        export_url=read.value("TMDB_EXPORT_URL", _url),
        mode=mode,
        snapshot_date=read.optional("TMDB_SNAPSHOT_DATE", day) or today(),
        pages=read.value("TMDB_PAGES", _whole(1, 1_000_000)),
        limit=read.optional("TMDB_LIMIT", _whole(1, 1_000_000_000)),
        min_popularity=read.optional("TMDB_MIN_POPULARITY", _number(0, 1_000_000)),
        track_days=read.value("TMDB_TRACK_DAYS", _whole(0, 3660)),
        full_days=read.value("TMDB_FULL_DAYS", _whole(1, 3660)),
        max_rps=read.value("TMDB_MAX_RPS", _number(0.1, 1_000_000)),
        max_connections=read.value("TMDB_MAX_CONNECTIONS", _whole(1, 1000)),
        timeout=read.value("TMDB_TIMEOUT", _number(0.1, 3600)),
        max_tries=read.value("TMDB_MAX_TRIES", _whole(1, 100)),
        progress_seconds=read.value("TMDB_PROGRESS_SECONDS", _number(0.1, 86400)),
        dry_run=dry_run,
    )
    read.raise_if_wrong()
    return settings


def age(text: str) -> timedelta:
    """A length of time like `36h`, `2d` or `90m`; a bare number is hours. Raises `ValueError`."""
    matched = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([mhd]?)", text.strip())
    if not matched:
        raise ValueError("must be a length of time such as 36h, 2d or 90m")
    unit = {"m": 60, "h": 3600, "": 3600, "d": 86400}[matched[2]]
    try:
        return timedelta(seconds=float(matched[1]) * unit)
    except OverflowError:
        raise ValueError("must be less than a billion days") from None


def day(text: str) -> date:
    """A date, YYYY-MM-DD. Raises `ValueError`."""
    try:
        if re.fullmatch(r"\d{4}-\d{2}-\d{2}", text):
            return date.fromisoformat(text)
    except ValueError:
        pass  # said below, with the form it must have
    raise ValueError("must be a date, YYYY-MM-DD")


def optional_day(name: str, text: str | None) -> date | None:
    """One date given for `name`, outside a run's settings; none for no text. Raises `ConfigurationError`."""
    try:
        return day(text.strip()) if text else None
    except ValueError as error:
        raise ConfigurationError(f"{name}={text!r} {error}") from None


def progress_seconds(text: str | None) -> float:
    """Seconds between two progress lines, outside a run's settings. Raises `ConfigurationError`."""
    read = _Reader({"TMDB_PROGRESS_SECONDS": text})
    seconds = read.value("TMDB_PROGRESS_SECONDS", _number(0.1, 86400))
    read.raise_if_wrong()
    return seconds


def whole(name: str, text: str, low: int, high: int) -> int:
    """One whole number given for `name`, outside a run's settings. Raises `ConfigurationError`."""
    try:
        return _whole(low, high)(text)
    except ValueError as error:
        raise ConfigurationError(f"{name}={text!r} {error}") from None


class _Reader:
    """Turns text into values, and remembers what is wrong instead of stopping at the first."""

    def __init__(self, given: Mapping[str, str | None]) -> None:
        self._given = given
        self._wrong: list[str] = []

    def value(self, name: str, parse: Callable[[str], T]) -> T:
        text = self._text(name) or DEFAULTS[name]
        try:
            return parse(text)
        except ValueError as error:
            self._wrong.append(f"{name}={_shown(text)!r} {error}")
            return parse(DEFAULTS[name])

    def optional(self, name: str, parse: Callable[[str], T]) -> T | None:
        text = self._text(name)
        if not text:
            return None
        try:
            return parse(text)
        except ValueError as error:
            self._wrong.append(f"{name}={_shown(text)!r} {error}")
            return None

    def token(self) -> Secret:
        text = self._text("TMDB_TOKEN")
        if not text:
            self._wrong.insert(0, HOW_TO_BEGIN)
        elif not re.fullmatch(r"[\x21-\x7e]+", text):  # its value stays out of the message
            self._wrong.append(
                "TMDB_TOKEN has characters that no token has (a space, a line break?): copy it again"
            )
        return Secret(text or "none")

    def raise_if_wrong(self) -> None:
        if len(self._wrong) == 1:
            raise ConfigurationError(self._wrong[0])
        if self._wrong:
            lines = "".join(f"\n  {line}" for line in self._wrong)
            raise ConfigurationError(f"{len(self._wrong)} settings are wrong:{lines}")

    def _text(self, name: str) -> str:
        return (self._given.get(name) or "").strip()


def _shown(text: str) -> str:
    """A wrong value, but of an address neither a password nor a query, which may hold a key."""
    return re.sub(r"(?<=\?).*", "…", re.sub(r"(?<=://)[^/@]*@", "…@", text)) if "://" in text else text


def _whole(low: int, high: int) -> Callable[[str], int]:
    def parse(text: str) -> int:
        if not re.fullmatch(r"[+-]?[0-9]{1,18}", text) or not low <= int(text) <= high:
            raise ValueError(f"must be a whole number from {low} to {high:,}")
        return int(text)

    return parse


def _number(low: float, high: float) -> Callable[[str], float]:
    def parse(text: str) -> float:
        if (
            not re.fullmatch(r"[+-]?([0-9]{1,18}(\.[0-9]*)?|\.[0-9]+)", text)
            or not low <= float(text) <= high
        ):
            raise ValueError(f"must be a number from {low:g} to {high:,.0f}")
        return float(text)

    return parse


def _one_of(allowed: tuple[str, ...]) -> Callable[[str], str]:
    def parse(text: str) -> str:
        if text not in allowed:
            raise ValueError(f"must be one of {', '.join(allowed)}")
        return text

    return parse


def _url(text: str) -> str:
    rule = "must be an address like https://api.themoviedb.org/3"
    try:
        parts = urlsplit(text)
        host, _ = parts.hostname, parts.port
    except ValueError:
        raise ValueError(rule) from None
    if parts.scheme not in ("http", "https") or not host or parts.query or parts.fragment:
        raise ValueError(rule)
    if parts.username or parts.password:
        raise ValueError("must hold no user name or password")
    if parts.scheme == "http" and re.search(r"(^|\.)(themoviedb|tmdb)\.org$", host):
        raise ValueError("must begin with https: the token would travel in the clear")
    return text.rstrip("/")
