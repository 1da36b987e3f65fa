"""TMDB_DISCOVER: filters of TMDB's `/discover/movie` as one query string, checked before anything is asked.

TMDB answers a filter that it does not know, or a value of the wrong type, with all films, as if nothing had
been asked; so names and types are checked here, against TMDB's own description of its API.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final
from urllib.parse import parse_qsl

from extractor.values import calendar_day, country, like


def _some(pattern: str, what: str) -> Callable[[str], str]:
    """Some values of this pattern."""
    return like(rf"{pattern}([,|]{pattern})*", f"{what}, with commas (and) or pipes (or) between")


#: The check of a filter's value, by the names of those that have it.
_CHECKS: Final[Mapping[str, Callable[[str], Any]]] = {
    "certification certification.gte certification.lte": like(r"[^\x00-\x1f\ud800-\udfff]+", "a text"),
    "certification_country watch_region": country,
    "primary_release_date.gte primary_release_date.lte release_date.gte release_date.lte": calendar_day,
    "primary_release_year year": like(r"[0-9]{4}", "a year, YYYY"),
    "vote_average.gte vote_average.lte vote_count.gte vote_count.lte": like(r"[0-9]+(\.[0-9]+)?", "a number"),
    "with_cast with_companies with_crew with_genres with_keywords with_people with_watch_providers"
    " without_companies without_genres without_keywords without_watch_providers": _some(r"[0-9]+", "ids"),
    "with_origin_country": _some(r"[A-Z]{2}", "countries like FR"),
    "with_original_language": _some(r"[a-z]{2}", "languages like fr"),
    "with_release_type": _some(r"[1-6]", "types from 1 to 6"),
    "with_runtime.gte with_runtime.lte": like(r"[0-9]+", "a whole number"),
    "with_watch_monetization_types": _some(
        r"(flatrate|free|ads|rent|buy)", "some of flatrate, free, ads, rent, buy"
    ),
}
FILTERS: Final = {name: check for names, check in _CHECKS.items() for name in names.split()}
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
                f"must not set {name!r}, which is no filter of TMDB's; they are {', '.join(sorted(FILTERS))}"
            )
        if names.count(name) > 1:
            raise ValueError(f"must set {name} once")
        try:
            FILTERS[name](value)
        except ValueError as error:
            rule = str(error).removeprefix("must be ")
            raise ValueError(f"must set {name} to {rule} (not {value!r})") from None
    return text.removeprefix("?")


def query(text: str | None) -> dict[str, str]:
    """The filters as TMDB's parameters."""
    return dict(parse_qsl(text or ""))
