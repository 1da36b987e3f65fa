"""TMDB_DISCOVER: filters of TMDB's `/discover/movie` as one query string, checked before anything is asked.

TMDB answers a filter that it does not know, or a value of the wrong type, with all films, as if nothing had
been asked; so names and types are checked here, against TMDB's own description of its API.
"""

import re
from collections.abc import Callable, Mapping
from datetime import date
from typing import Final
from urllib.parse import parse_qsl


def _date(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text) is not None


def _like(pattern: str) -> Callable[[str], bool]:
    return lambda text: re.fullmatch(pattern, text) is not None


_IDS: Final = (_like(r"[0-9]+([,|][0-9]+)*"), "ids, with commas (and) or pipes (or) between")
_DATE: Final = (_date, "a date, YYYY-MM-DD")
_NUMBER: Final = (_like(r"[0-9]+(\.[0-9]+)?"), "a number")
_WHOLE: Final = (_like(r"[0-9]+"), "a whole number")
_YEAR: Final = (_like(r"[0-9]{4}"), "a year, YYYY")
_COUNTRY: Final = (_like(r"[A-Z]{2}"), "a country like FR")
_COUNTRIES: Final = (_like(r"[A-Z]{2}([,|][A-Z]{2})*"), "countries like FR, with commas or pipes between")
_LANGUAGES: Final = (_like(r"[a-z]{2}([,|][a-z]{2})*"), "languages like fr, with commas or pipes between")
_TEXT: Final = (_like(r"[^\x00-\x1f]+"), "a text")
_OFFERS: Final = (
    _like(r"(flatrate|free|ads|rent|buy)([,|](flatrate|free|ads|rent|buy))*"),
    "some of flatrate, free, ads, rent, buy, with commas or pipes between",
)
_RELEASES: Final = (_like(r"[1-6]([,|][1-6])*"), "types from 1 to 6, with commas or pipes between")

#: TMDB's filters: name → what its value must be, as a check and in words.
FILTERS: Final[Mapping[str, tuple[Callable[[str], bool], str]]] = {
    "certification": _TEXT,
    "certification.gte": _TEXT,
    "certification.lte": _TEXT,
    "certification_country": _COUNTRY,
    "primary_release_date.gte": _DATE,
    "primary_release_date.lte": _DATE,
    "primary_release_year": _YEAR,
    "release_date.gte": _DATE,
    "release_date.lte": _DATE,
    "vote_average.gte": _NUMBER,
    "vote_average.lte": _NUMBER,
    "vote_count.gte": _NUMBER,
    "vote_count.lte": _NUMBER,
    "watch_region": _COUNTRY,
    "with_cast": _IDS,
    "with_companies": _IDS,
    "with_crew": _IDS,
    "with_genres": _IDS,
    "with_keywords": _IDS,
    "with_origin_country": _COUNTRIES,
    "with_original_language": _LANGUAGES,
    "with_people": _IDS,
    "with_release_type": _RELEASES,
    "with_runtime.gte": _WHOLE,
    "with_runtime.lte": _WHOLE,
    "with_watch_monetization_types": _OFFERS,
    "with_watch_providers": _IDS,
    "without_companies": _IDS,
    "without_genres": _IDS,
    "without_keywords": _IDS,
    "without_watch_providers": _IDS,
    "year": _YEAR,
}
#: What the extractor sets itself: name → what to use instead.
_OURS: Final = {
    "page": "TMDB_PAGES says how many pages",
    "sort_by": "films come by popularity, the most popular ones first",
    "include_adult": "adult films are always left out",
    "include_video": "videos are always left out",
    "language": "it has a variable of its own, TMDB_LANGUAGE",
    "region": "it has a variable of its own, TMDB_REGION",
    "api_key": "the token is TMDB_TOKEN, and never part of an address",
    "append_to_response": "TMDB_BLOCKS says what a film's payload holds",
}


def filters(text: str) -> str:
    """The filters in `text`, as they were given. Raises `ValueError` for one that there is not, one that the
    extractor sets itself, and a value that is not of its filter's type.
    """
    try:
        pairs = parse_qsl(text.removeprefix("?"), keep_blank_values=True, strict_parsing=True)
    except ValueError:
        raise ValueError("must be filters like with_original_language=fr&vote_count.gte=50") from None
    names = [name for name, _ in pairs]
    for name, value in pairs:
        if name in _OURS:
            raise ValueError(f"must not set {name}: {_OURS[name]}")
        if name not in FILTERS:
            raise ValueError(
                f"must not set {name!r}, which is no filter of TMDB's; they are {', '.join(FILTERS)}"
            )
        if names.count(name) > 1:
            raise ValueError(f"must set {name} once")
        check, rule = FILTERS[name]
        if not check(value):
            raise ValueError(f"must set {name} to {rule} (not {value!r})")
    return text.removeprefix("?")


def query(text: str | None) -> dict[str, str]:
    """The filters as TMDB's parameters."""
    return dict(parse_qsl(text or ""))
