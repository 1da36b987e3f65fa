"""TMDB_DISCOVER: filters of TMDB's `/discover/movie` as one query string, checked before anything is asked.

TMDB answers a filter that it does not know, or a value of the wrong type, with all films, as if nothing had
been asked; so names and types are checked here, against TMDB's own description of its API.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final
from urllib.parse import parse_qsl

from extractor.values import calendar_day, like

_SEPARATED: Final = "with commas (and) or pipes (or) between"
_ID: Final = like(r"[0-9]+([,|][0-9]+)*", f"ids, {_SEPARATED}")
_NUMBER: Final = like(r"[0-9]+(\.[0-9]+)?", "a number")
_WHOLE: Final = like(r"[0-9]+", "a whole number")
_YEAR: Final = like(r"[0-9]{4}", "a year, YYYY")
_COUNTRY: Final = like(r"[A-Z]{2}", "a country like FR")
_COUNTRIES: Final = like(r"[A-Z]{2}([,|][A-Z]{2})*", f"countries like FR, {_SEPARATED}")
_LANGUAGES: Final = like(r"[a-z]{2}([,|][a-z]{2})*", f"languages like fr, {_SEPARATED}")
_TEXT: Final = like(r"[^\x00-\x1f]+", "a text")
_RELEASES: Final = like(r"[1-6]([,|][1-6])*", f"types from 1 to 6, {_SEPARATED}")
_OFFER: Final = "(flatrate|free|ads|rent|buy)"
_OFFERS: Final = like(rf"{_OFFER}([,|]{_OFFER})*", f"some of flatrate, free, ads, rent, buy, {_SEPARATED}")

#: TMDB's filters by the check of their values.
_BY_CHECK: Final[Mapping[Callable[[str], Any], str]] = {
    _TEXT: "certification certification.gte certification.lte",
    _COUNTRY: "certification_country watch_region",
    calendar_day: "primary_release_date.gte primary_release_date.lte release_date.gte release_date.lte",
    _YEAR: "primary_release_year year",
    _NUMBER: "vote_average.gte vote_average.lte vote_count.gte vote_count.lte",
    _ID: "with_cast with_companies with_crew with_genres with_keywords with_people with_watch_providers"
    " without_companies without_genres without_keywords without_watch_providers",
    _COUNTRIES: "with_origin_country",
    _LANGUAGES: "with_original_language",
    _RELEASES: "with_release_type",
    _WHOLE: "with_runtime.gte with_runtime.lte",
    _OFFERS: "with_watch_monetization_types",
}
FILTERS: Final = {name: check for check, names in _BY_CHECK.items() for name in names.split()}
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
