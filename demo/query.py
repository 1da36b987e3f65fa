"""What a request to /discover/movie asks for: TMDB's filters, and which films they leave."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final, Self

from demo.answers import ApiError
from demo.reference import CERTIFICATIONS

#: A film's payload, as /movie/{id} has it.
Film = dict[str, Any]
Asked = Mapping[str, str]

_TEXTS: Final = ("original_title", "title")
_SORTED: Final = (*_TEXTS, "popularity", "primary_release_date", "revenue", "vote_average", "vote_count")
SORTS: Final = tuple(f"{field}.{way}" for field in sorted(_SORTED) for way in ("asc", "desc"))
_OFFERS: Final = ("flatrate", "free", "ads", "rent", "buy")


def iso_date(text: str) -> str:
    """A date as TMDB takes it. Raises ApiError 23 for anything else."""
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError as error:
        raise ApiError(23) from error


def number(text: str) -> float:
    """A number as TMDB takes it. Raises ApiError 5 for anything else."""
    try:
        return float(text)
    except ValueError as error:
        raise ApiError(5) from error


def _ids(rows: Iterable[Film] | None) -> set[str]:
    return {str(row["id"]) for row in rows or ()}


def _releases(film: Film, country: str) -> list[Film]:
    return [
        release
        for row in film["release_dates"]["results"]
        if country in ("", row["iso_3166_1"])
        for release in row["release_dates"]
    ]


def regional_date(film: Film, region: str) -> str:
    """The first release of a film in a region, its primary one where it has none there; needs the block
    `release_dates`.
    """
    dates = [release["release_date"][:10] for release in _releases(film, region)]
    return min(dates, default=film.get("release_date") or "")


def _certifications(film: Film, asked: Asked) -> set[str]:
    return {row["certification"] for row in _releases(film, asked.get("certification_country", ""))}


def _types(film: Film, asked: Asked) -> set[str]:
    return {str(row.get("type")) for row in _releases(film, asked.get("region", ""))}


def _offers(film: Film, asked: Asked) -> dict[str, list[Film]]:
    country = film["watch/providers"]["results"].get(asked.get("watch_region", ""), {})
    kinds = asked.get("with_watch_monetization_types", "|".join(_OFFERS)).replace(",", "|").split("|")
    return {kind: country[kind] for kind in _OFFERS if kind in country and kind in kinds}


def _providers(film: Film, asked: Asked) -> set[str]:
    return {str(row["provider_id"]) for rows in _offers(film, asked).values() for row in rows}


#: The film's values, by a filter's name without `with_` or `without_`.
_VALUES: Final[dict[str, Callable[[Film, Asked], set[str]]]] = {
    "genres": lambda film, asked: _ids(film.get("genres")),
    "companies": lambda film, asked: _ids(film.get("production_companies")),
    "origin_country": lambda film, asked: set(film.get("origin_country") or ()),
    "original_language": lambda film, asked: {film.get("original_language", "")},
    "primary_release_year": lambda film, asked: {(film.get("release_date") or "")[:4]},
    "year": lambda film, asked: {(film.get("release_date") or "")[:4]},
    "keywords": lambda film, asked: _ids(film["keywords"]["keywords"]),
    "cast": lambda film, asked: _ids(film["credits"]["cast"]),
    "crew": lambda film, asked: _ids(film["credits"]["crew"]),
    "people": lambda film, asked: _ids(film["credits"]["cast"] + film["credits"]["crew"]),
    "release_type": _types,
    "certification": _certifications,
    "watch_providers": _providers,
    "watch_monetization_types": lambda film, asked: set(_offers(film, asked)),
}
#: Those whose names have no `with_`.
_BARE: Final = ("certification", "primary_release_year", "year")
#: What has bounds: `.gte` and `.lte`.
_BOUNDED: Final = (
    *("certification", "primary_release_date", "release_date", "vote_average", "vote_count", "with_runtime"),
)
_SIDES: Final = ("gte", "lte")
#: What can be told without the whole film: by its id, measures and date.
_SKETCHED: Final = ("popularity", "primary_release_date", "release_date", "vote_count")
#: Parameters that are no filters, but say what other filters mean.
_BESIDE: Final = ("certification_country", "region", "watch_region")


def _parts(name: str) -> tuple[str, str]:
    """What a filter looks at, and how: `gte`, `lte`, `with` or `without`; two empty texts if TMDB has none
    of that name.
    """
    what, _, side = name.rpartition(".")
    if side in _SIDES:
        return (what, side) if what in _BOUNDED else ("", "")
    how, _, what = name.partition("_")
    if how in ("with", "without") and what in _VALUES and what not in _BARE:
        return what, how
    return (name, "with") if name in _BARE else ("", "")


def _severity(certifications: Iterable[str], asked: Asked) -> list[int]:
    """Places of certifications in their country's order, without those that are not in it."""
    order = CERTIFICATIONS.get(asked.get("certification_country", ""), [])
    return [order.index(name) for name in certifications if name in order]


def _bounded(film: Film, what: str, asked: Asked) -> list[Any]:
    """The values of a film that `.gte` and `.lte` bound."""
    if what == "certification":
        return _severity(_certifications(film, asked), asked)
    if what == "release_date" and "region" in asked:
        return [row["release_date"][:10] for row in _releases(film, asked["region"])]
    if what.endswith("release_date"):
        return [film["release_date"]] if film.get("release_date") else []
    return [film.get(what.removeprefix("with_")) or 0]


def _bound(what: str, text: str, asked: Asked) -> Any:
    """What a bound's text says. Raises ApiError for a text that is no date or number where one belongs."""
    if what == "certification":
        return max(_severity([text], asked), default=-1)
    return iso_date(text) if what.endswith("release_date") else number(text)


def _passes(film: Film, name: str, text: str, asked: Asked) -> bool:
    what, how = _parts(name)
    if how in _SIDES:
        # one value between both bounds: a release in May and one in July are none in June
        least, most = (asked.get(f"{what}.{side}") for side in _SIDES)
        return any(
            (least is None or value >= _bound(what, least, asked))
            and (most is None or value <= _bound(what, most, asked))
            for value in _bounded(film, what, asked)
        )
    values = _VALUES[what](film, asked)
    if how == "without":
        return not values.intersection(text.replace("|", ",").split(","))
    # TMDB reads a comma as "and", a bar as "or"
    return all(values.intersection(choice.split("|")) for choice in text.split(","))


@dataclass(frozen=True)
class Query:
    """A request to /discover/movie: its order, and its other parameters that mean something, by name."""

    sort_by: str = "popularity.desc"
    include_adult: bool = False
    include_video: bool = False
    filters: tuple[tuple[str, str], ...] = ()

    @classmethod
    def parse(cls, parameters: Asked) -> Self:
        """The query of a request. Raises ApiError for a wrong value; what TMDB does not know, it ignores."""
        sort_by = parameters.get("sort_by", cls.sort_by)
        if sort_by not in SORTS:
            raise ApiError(5, f"The stand-in sorts by {', '.join(SORTS)}, not by {sort_by!r}.")
        filters = {name: text for name, text in parameters.items() if _parts(name)[0]}
        for name, text in filters.items():
            if name.endswith(_SIDES):
                _bound(_parts(name)[0], text, parameters)
        if filters:  # alone, these change nothing of which films there are
            filters |= {name: text for name, text in parameters.items() if name in _BESIDE}
        adult, video = (parameters.get(f"include_{kind}", "") for kind in ("adult", "video"))
        return cls(sort_by, adult.lower() == "true", video.lower() == "true", tuple(filters.items()))

    @property
    def sketched(self) -> bool:
        """Whether id, measures, release date and the two flags of a film are enough to match and sort it."""
        asked = dict(self.filters)
        names = [what for what, _ in map(_parts, asked)] + [self.sort_by.partition(".")[0]]
        regional = "region" in asked and "release_date" in names
        return not regional and all(name in _SKETCHED for name in names)

    def matches(self, film: Film) -> bool:
        """Whether the film is listed; it needs the blocks that the filters look at. Another key that it lacks
        counts as false, empty or 0.
        """
        if (film.get("adult") and not self.include_adult) or (film.get("video") and not self.include_video):
            return False
        asked = dict(self.filters)
        return all(_passes(film, name, text, asked) for name, text in self.filters if name not in _BESIDE)

    def sort_key(self, film: Film) -> tuple[Any, int]:
        """Ascending order of a list, for this query's `sort_by`; ids break ties."""
        field, _, way = self.sort_by.partition(".")
        descending = way == "desc"
        value: Any = film.get(field.removeprefix("primary_")) or 0
        if field in _TEXTS:
            letters = [ord(letter) for letter in value or ""]
            return ([-letter for letter in letters] + [1] if descending else letters), film["id"]
        if field == "primary_release_date":
            # days rather than texts, so that descending order is a minus sign; films without a date come last
            value = int(value.replace("-", "")) if value else 0 if descending else 99_999_999
        return (-value if descending else value), film["id"]
