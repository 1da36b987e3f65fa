"""Text that a person gave → the value it stands for. Each check raises `ValueError`, which says the rule."""

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Final, TypeVar
from urllib.parse import urlsplit

N = TypeVar("N", int, float)

#: TMDB began in 2008: of no earlier day can there be a snapshot.
FIRST_DAY: Final = date(2008, 1, 1)


def today() -> date:
    """The UTC date: days are UTC everywhere."""
    return datetime.now(UTC).date()


def like(pattern: str, what: str) -> Callable[[str], str]:
    """A text of this pattern, which is `what` in words."""

    def check(text: str) -> str:
        if not re.fullmatch(pattern, text):
            raise ValueError(f"must be {what}")
        return text

    return check


country: Final = like(r"[A-Z]{2}", "a country like FR")
"""A country, ISO 3166-1."""


def calendar_day(text: str) -> date:
    """A date, YYYY-MM-DD, and in none of ISO 8601's other forms."""
    try:
        return date.fromisoformat(like(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", "")(text))
    except ValueError:
        raise ValueError("must be a date, YYYY-MM-DD") from None


def day(text: str) -> date:
    """A snapshot date: of TMDB's time, and at most tomorrow, where another's clock may be."""
    read, last = calendar_day(text), today() + timedelta(days=1)
    if not FIRST_DAY <= read <= last:
        raise ValueError(f"must be a date from {FIRST_DAY}, when TMDB began, to tomorrow, {last}")
    return read


def age(text: str) -> timedelta:
    """A length of time like `36h`, `2d` or `90m`; a bare number is hours."""
    matched = re.fullmatch(r"([0-9]+(?:\.[0-9]+)?)\s*([mhd]?)", text)
    if not matched:
        raise ValueError("must be a length of time such as 36h, 2d or 90m")
    unit = {"m": 60, "h": 3600, "": 3600, "d": 86400}[matched[2]]
    try:
        return timedelta(seconds=float(matched[1]) * unit)
    except OverflowError:
        raise ValueError("must be less than a billion days") from None


def integer(low: int, high: int) -> Callable[[str], int]:
    """A whole number within bounds."""
    return _within(int, r"[+-]?[0-9]{1,18}", low, high, f"a whole number from {low} to {high:,}")


def number(low: float, high: float) -> Callable[[str], float]:
    """A number within bounds."""
    pattern = r"[+-]?([0-9]{1,18}(\.[0-9]*)?|\.[0-9]+)"
    return _within(float, pattern, low, high, f"a number from {low:g} to {high:,.0f}")


def _within(kind: Callable[[str], N], pattern: str, low: N, high: N, what: str) -> Callable[[str], N]:
    def check(text: str) -> N:
        if not re.fullmatch(pattern, text) or not low <= kind(text) <= high:
            raise ValueError(f"must be {what}")
        return kind(text)

    return check


def one_of(*allowed: str, fold: Callable[[str], str] = str) -> Callable[[str], str]:
    """One of some words, written as they are or, after `fold` (`str.lower`), in any case."""

    def check(text: str) -> str:
        if fold(text) not in allowed:
            raise ValueError(f"must be one of {', '.join(allowed)}")
        return fold(text)

    return check


def some_of(*allowed: str) -> Callable[[str], tuple[str, ...]]:
    """Some of these words, with commas between, each once, in the order given; or `none`."""

    def check(text: str) -> tuple[str, ...]:
        if text == "none":
            return ()
        words = [word.strip() for word in text.split(",")]
        if wrong := [word for word in words if word not in allowed]:
            listed = ", ".join(allowed)
            raise ValueError(f"must be some of {listed}, with commas between, or none (not {wrong[0]!r})")
        return tuple(dict.fromkeys(words))

    return check


def language(text: str) -> str | None:
    """A language as TMDB takes it: ISO 639-1, also with a country. TMDB's default is None."""
    read = like(r"[a-z]{2}(-[A-Z]{2})?", "a language like fr or fr-FR")(text)
    return None if read == "en-US" else read


def url(text: str) -> str:
    """The address of an API, without a slash at its end."""
    rule = "must be an address like https://api.themoviedb.org/3"
    try:
        parts = urlsplit(text)
        host, _ = parts.hostname or "", parts.port
        host.encode("idna")  # as every library does, some of which fail at a name like a..b
    except ValueError:
        raise ValueError(rule) from None
    if parts.scheme not in ("http", "https") or not host or not text.isprintable() or set("?# ") & set(text):
        raise ValueError(rule)
    if parts.username or parts.password:
        raise ValueError("must hold no user name or password")
    if parts.scheme == "http" and re.search(r"(^|\.)(themoviedb|tmdb)\.org\.?$", host):
        raise ValueError("must begin with https: the token would travel in the clear")
    return text.rstrip("/")


def shown(text: str) -> str:
    """A wrong value without what may be a password or a key: of an address neither user nor query, of
    filters no value of such a name.
    """
    if "://" in text:
        return re.sub(r"(?<=\?).*", "…", re.sub(r"(?<=://).*@", "…@", text))
    return re.sub(r"(?i)((?:key|token|session|session_id|password|secret)=)[^&]*", r"\1…", text)
