"""What an answer of TMDB must be, and the one change that jsonb needs."""

import json
import math
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from typing import Any, Final, NamedTuple

import orjson

from common.errors import one_line
from extractor.errors import RetriableError
from extractor.rows import ID_LIMIT

#: Escapes, read from the left so that the second half of `\\` never begins one: a pair of surrogates that
#: belong together, one \u and four digits, or any other.
_ESCAPE: Final = re.compile(
    rb"(?s)\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|u(?P<code>[0-9a-fA-F]{4})|.)"
)
_SUSPECT: Final = re.compile(rb"\\u(?:0000|[dD][89a-fA-F])")

#: What a film's answer can be asked to append, and within each block the members that hold its content, with
#: their kind. A block without them is not what was asked for, so it does not make a payload full.
BLOCKS: Final[Mapping[str, Mapping[str, type]]] = {
    "credits": {"cast": list, "crew": list},
    "keywords": {"keywords": list},
    "release_dates": {"results": list},
    "watch/providers": {"results": dict},
    "translations": {"translations": list},
    "external_ids": {},
    "alternative_titles": {"titles": list},
    "videos": {"results": list},
}

#: Films that TMDB puts on one page of discover, and of changes.
PAGE_FILMS: Final = 20
CHANGES_PAGE_FILMS: Final = 100
_TOTAL_DRIFT: Final = 16


class BadBodyError(RetriableError):
    """The body is not what was asked for."""


Check = Callable[[Any], None]
"""Raises `BadBodyError` unless the parsed document is what was asked for."""


def movie(movie_id: int) -> Check:
    """A film: an object with the `id` that was asked for."""

    def check(document: Any) -> None:
        got = _object(document).get("id")
        if "status_code" in document:
            raise BadBodyError("error_body", f"status 200 with TMDB's error {_error(document)}")
        if type(got) is not int or got != movie_id:
            raise BadBodyError("other_id", f"asked for film {movie_id}, got id {str(got)[:100]!r}")

    return check


def is_block(document: Mapping[str, Any], name: str) -> bool:
    """Is what a film's answer has under a block's name an object that is no error?"""
    block = document.get(name)
    return isinstance(block, dict) and "status_code" not in block and block.get("success") is not False


def has_block(document: Mapping[str, Any], name: str) -> bool:
    """Does a film's answer hold the block: an object that is no error, with its lists?"""
    members = BLOCKS[name].items()
    return is_block(document, name) and all(isinstance(document[name].get(m), kind) for m, kind in members)


def lacking(document: Mapping[str, Any], wanted: Iterable[str]) -> tuple[str, ...]:
    """Those of the blocks `wanted` that a film's answer does not hold."""
    return tuple(name for name in wanted if not has_block(document, name))


def without_bad_blocks(
    body: bytes, document: Any, is_good: Callable[[Mapping[str, Any], str], bool] = has_block
) -> tuple[bytes, str | None]:
    """An answer without those blocks that came as something else (null, an error), and what was left out, in
    words: in the landing zone a block that is there is one.
    """
    bad = [name for name in BLOCKS if name in document and not is_good(document, name)]
    if not bad:
        return body, None
    members = {key: value for key, value in with_exact_numbers(body).items() if key not in bad}
    return orjson.dumps(members), f"left out {', '.join(bad)}, which came as no such block"


def with_exact_numbers(body: bytes) -> dict[str, Any]:
    """The object in `body`, for `orjson.dumps`, each number as its own text: also those that no float holds
    keep their digits. Raises `BadBodyError` when it is nested too deeply.
    """
    try:
        read: dict[str, Any] = json.loads(body, parse_int=orjson.Fragment, parse_float=orjson.Fragment)
        orjson.dumps(read)
    except (RecursionError, orjson.JSONEncodeError):
        raise BadBodyError("not_json", "nested too deeply") from None
    return read


def full_jsonpath(wanted: Iterable[str]) -> str:
    """The predicate, for PostgreSQL's `@@`, that a payload holds all blocks `wanted`, as `has_block` says."""
    terms = []
    for name in wanted:
        terms.append(f'$."{name}".type() == "object" && !exists($."{name}".status_code)')
        for member, kind in BLOCKS[name].items():
            terms.append(f'$."{name}"."{member}".type() == "{"array" if kind is list else "object"}"')
    return " && ".join(terms)


def rows_with(key: str, under: str | None = None) -> Check:
    """A list that is not empty, its rows with `key`: the document itself, or what is `under` that name."""

    def check(document: Any) -> None:
        rows = _object(document).get(under) if under else document
        are_rows = isinstance(rows, list) and all(isinstance(row, dict) and key in row for row in rows)
        if not (are_rows and rows):
            raise _unlike("not_a_list", f"not a list of rows with {key!r}", document)

    return check


def certifications(document: Any) -> None:
    """`{"certifications": {country: [{"certification", …}, …], …}}`, not empty."""
    countries = _object(document).get("certifications")
    if not (
        isinstance(countries, dict) and countries and all(isinstance(r, list) for r in countries.values())
    ):
        raise _unlike("not_a_list", "no certifications by country in it", document)


class ListKind(NamedTuple):
    """One of TMDB's lists: where it is, what it must be, whether it comes in a language, and the block that
    must be wanted for it to be of use (None: it always is).
    """

    path: str
    check: Check
    in_language: bool
    block: str | None = None


#: The lists that land on every run, by resource.
LISTS: Final[Mapping[str, ListKind]] = {
    "genre_list": ListKind("/genre/movie/list", rows_with("id", "genres"), True),
    "country_list": ListKind("/configuration/countries", rows_with("iso_3166_1"), True),
    "language_list": ListKind("/configuration/languages", rows_with("iso_639_1"), False),
    "certification_list": ListKind("/certification/movie/list", certifications, False, "release_dates"),
    "watch_provider_list": ListKind(
        "/watch/providers/movie", rows_with("provider_id", "results"), True, "watch/providers"
    ),
    "watch_region_list": ListKind(
        "/watch/providers/regions", rows_with("iso_3166_1", "results"), True, "watch/providers"
    ),
}


def check_of(resource: str, resource_id: int) -> Check:
    """What the answer for a film or a list must be."""
    return LISTS[resource].check if resource in LISTS else movie(resource_id)


def page(document: Any) -> None:
    """One page of a list of films: `results` with ids, and `total_pages`."""
    _films(document, "results")
    if type(document.get("total_pages")) is not int:
        raise _unlike("not_a_page", "no total_pages in it", document)


def find(document: Any) -> None:
    """An answer of `/find`: `movie_results` with ids, which may be empty."""
    _films(document, "movie_results")


def at_least(document: Mapping[str, Any], films: int) -> int:
    """The films of a list that one of its pages promises, `films` on a page: by its total or by its number
    of pages, whichever is more, as either may be missing or wrong. The pages are cached apart, so that both
    differ within a list (33 totals on 50 pages, measured), but for a list of few films.
    """
    total = document.get("total_results")
    last: int = document["total_pages"]
    known = max(total if type(total) is int else 0, (last - 1) * films + 1, 0)
    return known - _TOTAL_DRIFT if known > 100 else known


def page_count(first: Mapping[str, Any], films: int) -> int:
    """The pages of a list by its page 1, `films` on a page or more."""
    own: int = first["total_pages"]
    films = max(films, len(first["results"]))
    return max(own, math.ceil(at_least(first, films) / films))


def whole_page(number: int, films: int, total: int = 0) -> Check:
    """Page `number` of a list of films, `films` on a page, with as many as TMDB promises.

    What it promises is `at_least` of this answer, or of page 1, `total`; of the latter a hundredth may be
    gone since. Page 1 has one film at least: neither discover nor the changes of a day are ever empty.
    """

    def check(document: Any) -> None:
        page(document)
        known = max(at_least(document, films), total * 99 // 100, number == 1)
        found, promised = len(document["results"]), min(films, known - (number - 1) * films)
        if found < promised:
            raise BadBodyError("short_page", f"{found} of {promised} films that TMDB's total promises")

    return check


def gone(document: Any) -> None:
    """The body of a 404 that TMDB itself gave. 34 not found, 6 invalid id (TMDB's error codes)."""
    if not isinstance(document, dict) or document.get("status_code") not in (34, 6):
        raise _unlike("not_gone", "not TMDB's answer for a film that is gone", document)


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
    removed: Counter[str] = Counter()

    def keep(match: re.Match[bytes]) -> bytes:
        code = int(match["code"] or b"ffff", 16)
        if code and not 0xD800 <= code <= 0xDFFF:
            return match[0]
        removed["lone surrogate" if code else "NUL"] += 1
        return b""

    repaired = _ESCAPE.sub(keep, body)
    words = " and ".join(f"{removed[kind]} {kind}" for kind in ("NUL", "lone surrogate") if removed[kind])
    return repaired, f"removed {words}" if words else None


def excerpt(body: bytes) -> str:
    """The beginning of a body, for a message."""
    return repr(body[:200].decode("utf-8", "replace"))


def describe(body: bytes) -> str:
    """TMDB's own words for an error, else the beginning of the body."""
    with suppress(orjson.JSONDecodeError):
        document = orjson.loads(body)
        if isinstance(document, dict) and "status_code" in document:
            return _error(document)
    return excerpt(body)


def _error(document: dict[str, Any]) -> str:
    return one_line(f"{str(document['status_code'])[:20]}: {str(document.get('status_message'))[:200]}")


def _object(document: Any) -> dict[str, Any]:
    if not isinstance(document, dict):
        raise BadBodyError("not_an_object", f"a JSON {type(document).__name__}, not an object")
    return document


def _films(document: Any, member: str) -> None:
    rows = _object(document).get(member)
    if not isinstance(rows, list) or not all(map(_is_film, rows)):
        raise _unlike("not_a_page", "no list of films in it", document)


def _is_film(row: Any) -> bool:
    return isinstance(row, dict) and type(row.get("id")) is int and 0 < row["id"] < ID_LIMIT


def _unlike(reason: str, problem: str, document: Any) -> BadBodyError:
    return BadBodyError(reason, f"{problem}: {excerpt(orjson.dumps(document)[:200])}")
