"""What an answer's body must be, and the one change that jsonb needs."""

import re
from collections.abc import Callable
from typing import Any, Final

import orjson

#: Escapes, read from the left so that the second half of `\\\\` never begins one: a pair of surrogates that
#: belong together, one \\uXXXX, or any other.
_ESCAPE: Final = re.compile(
    rb"\\(?:(?P<pair>u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2})|u(?P<code>[0-9a-fA-F]{4})|.)",
    re.DOTALL,
)
#: Ids from here on fit no bigint.
_MOST: Final = 1 << 63
_SUSPECT: Final = re.compile(rb"\\u(?:0000|[dD][89a-fA-F])")


class BadBodyError(Exception):
    """The body is not what was asked for; `reason` is a short name for it."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason
        self.detail = detail


Check = Callable[[Any], None]
"""Raises `BadBodyError` unless the parsed document is what was asked for."""


def movie(movie_id: int) -> Check:
    """A film: an object with the `id` that was asked for."""

    def check(document: Any) -> None:
        _object(document)
        got = document.get("id")
        if type(got) is not int or got != movie_id:
            if "id" not in document and "status_code" in document:
                raise BadBodyError("error_body", f"status 200 with TMDB's error {_error(document)}")
            raise BadBodyError("other_id", f"asked for film {movie_id}, got id {str(got)[:100]!r}")

    return check


def genre_list(document: Any) -> None:
    """`{"genres": [{"id", "name"}, …]}`, not empty."""
    _object(document)
    _rows(document.get("genres"), "id", document)


def bare_list(key: str) -> Check:
    """`[{key, …}, …]`, not empty: countries and languages."""

    def check(document: Any) -> None:
        _rows(document, key, document)

    return check


def page(document: Any) -> None:
    """One page of a list of films: `results` with ids, and `total_pages`."""
    _object(document)
    results = document.get("results")
    if not isinstance(results, list) or not all(
        isinstance(row, dict) and type(row.get("id")) is int and 0 < row["id"] < _MOST for row in results
    ):
        raise BadBodyError("not_a_page", f"no list of films in it: {_excerpt(document)}")
    if type(document.get("total_pages")) is not int:
        raise BadBodyError("not_a_page", f"no total_pages in it: {_excerpt(document)}")


def gone(document: Any) -> bool:
    """Is this the body of a 404 that TMDB itself gave? 34 not found, 6 invalid id (TMDB's error codes)."""
    return isinstance(document, dict) and document.get("status_code") in (34, 6)


def parse(body: bytes) -> Any:
    """The document in `body`. Raises `BadBodyError` when it is not JSON."""
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise BadBodyError("not_json", f"not JSON ({error}): {excerpt(body)}") from None


def repair(body: bytes) -> tuple[bytes, str | None]:
    """The text without what jsonb can't hold (escaped NULs, surrogates without their other half), and what
    was removed, in words; `None` when nothing was, which is nearly always.
    """
    if not _SUSPECT.search(body):
        return body, None
    nuls = surrogates = 0

    def keep(match: re.Match[bytes]) -> bytes:
        nonlocal nuls, surrogates
        code = match["code"]
        if code is None:
            return match[0]
        number = int(code, 16)
        if number == 0:
            nuls += 1
            return b""
        if 0xD800 <= number <= 0xDFFF:
            surrogates += 1
            return b""
        return match[0]

    repaired = _ESCAPE.sub(keep, body)
    parts = [f"{nuls} NUL"] * bool(nuls) + [f"{surrogates} lone surrogate"] * bool(surrogates)
    return repaired, f"removed {' and '.join(parts)}" if parts else None


def excerpt(body: bytes) -> str:
    """The beginning of a body, for a message."""
    return repr(body[:200].decode("utf-8", "replace"))


def describe(body: bytes) -> str:
    """TMDB's own words for an error, else the beginning of the body."""
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError:
        return excerpt(body)
    if isinstance(document, dict) and "status_code" in document:
        return _error(document)
    return excerpt(body)


def _error(document: dict[str, Any]) -> str:
    return f"{str(document['status_code'])[:20]}: {str(document.get('status_message'))[:200]}"


def _object(document: Any) -> None:
    if not isinstance(document, dict):
        raise BadBodyError("not_an_object", f"a JSON {type(document).__name__}, not an object")


def _rows(rows: Any, key: str, document: Any) -> None:
    if not isinstance(rows, list) or not rows or not all(isinstance(r, dict) and key in r for r in rows):
        raise BadBodyError("not_a_list", f"not a list of rows with {key!r}: {_excerpt(document)}")


def _excerpt(document: Any) -> str:
    return excerpt(orjson.dumps(document)[:200])
