"""What the server serves from: a synthetic catalogue or a file of real films, seen through one interface."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple, Protocol

#: A film's payload, as /movie/{id} has it.
Film = dict[str, Any]
#: The blocks of append_to_response that are had, with what a film without them has.
BLOCKS: Final = {"credits": b'{"cast":[],"crew":[]}', "keywords": b'{"keywords":[]}'}
#: Rows that discover gives at most: 500 pages of 20.
LISTED_MAX: Final = 10_000


@dataclass(frozen=True)
class Query:
    """What a request to /discover/movie asks for. Dates are ISO texts; they compare as texts."""

    sort_by: str = "popularity.desc"
    include_adult: bool = False
    include_video: bool = False
    released_from: str = ""
    released_to: str = ""
    #: Every inner tuple must have a genre in common with the film: `1,2|3` is ((1,), (2, 3)).
    genres: tuple[tuple[int, ...], ...] = ()
    language: str = ""
    votes_from: float = 0
    votes_to: float = float("inf")

    @property
    def by_date(self) -> bool:
        """Whether only films with a release date match."""
        return bool(self.released_from or self.released_to)

    def matches(self, film: Film) -> bool:
        """Whether the film is listed. A key that the film lacks counts as false, empty or 0."""
        released = film.get("release_date") or ""
        genres = {genre["id"] for genre in film.get("genres") or ()}
        return (
            (self.include_adult or not film.get("adult"))
            and (self.include_video or not film.get("video"))
            and (not self.by_date or released != "")
            and (not self.released_from or released >= self.released_from)
            and (not self.released_to or released <= self.released_to)
            and (not self.language or film.get("original_language") == self.language)
            and all(genres.intersection(choice) for choice in self.genres)
            and self.votes_from <= (film.get("vote_count") or 0) <= self.votes_to
        )

    def sort_key(self, film: Film) -> tuple[float | str, int]:
        """Ascending order of a list, for this query's `sort_by`; ids break ties."""
        field, _, direction = self.sort_by.partition(".")
        if field == "primary_release_date":
            # days rather than texts, so that descending order is a minus sign; films without a date come last
            released = film.get("release_date") or ""
            value = int(released.replace("-", "")) if released else 0 if direction == "desc" else 99_999_999
        else:
            value = film.get(field) or 0
        return (-value if direction == "desc" else value), film["id"]


class Ranking(NamedTuple):
    """The films that match a query, best first, at most LISTED_MAX of them; `total` counts all that match."""

    ids: Sequence[int]
    total: int


class Change(NamedTuple):
    """A row of /movie/changes; `adult` None where TMDB does not say."""

    film_id: int
    adult: bool | None


class Source(Protocol):
    """Films by id and day; days are proleptic ordinals (`date.toordinal()`)."""

    #: Whether discover repeats and misses ids between pages unless told otherwise, as TMDB's does.
    moves_between_pages: bool

    def film(self, film_id: int, day: int) -> Film | None:
        """The film's payload without blocks; None where the API answers 404."""
        ...

    def body(self, film_id: int, day: int) -> bytes | None:
        """The same as JSON."""
        ...

    def block(self, name: str, film_id: int, day: int) -> bytes:
        """JSON of a block of append_to_response of a film that exists: one of BLOCKS."""
        ...

    def ranking(self, query: Query, day: int) -> Ranking:
        """The ids of a discover query."""
        ...

    def listed(self, film_id: int, day: int) -> Film:
        """The film as lists know it, also when /movie/{id} denies an id that `ranking` gives."""
        ...

    def changes(self, first: int, last: int) -> Sequence[Change]:
        """Films changed from `first` to `last`, both included, each once."""
        ...

    def export(self, day: int) -> Iterator[Film]:
        """Every film that exists on the day, with the five keys of the daily export."""
        ...
