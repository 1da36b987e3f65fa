"""What the server serves from: a synthetic catalogue or a file of real films, seen through one interface."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Final, NamedTuple, Protocol

import orjson

from demo.query import Film as Film
from demo.query import Query as Query

#: The blocks of append_to_response that are had, with what a film without them has.
BLOCKS: Final = {
    "credits": b'{"cast":[],"crew":[]}',
    "keywords": b'{"keywords":[]}',
    "release_dates": b'{"results":[]}',
    "watch/providers": b'{"results":{}}',
    "translations": b'{"translations":[]}',
    "external_ids": b'{"imdb_id":null,"wikidata_id":null,"facebook_id":null,'
    b'"instagram_id":null,"twitter_id":null}',
    "alternative_titles": b'{"titles":[]}',
    "videos": b'{"results":[]}',
}
#: Rows that discover gives at most: 500 pages of 20.
LISTED_MAX: Final = 10_000


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
        film = self.film(film_id, day)
        return None if film is None else orjson.dumps(film)

    def block(self, name: str, film_id: int, day: int) -> bytes | None:
        """JSON of a block of append_to_response (one of BLOCKS); None where the source has none."""
        ...

    def listed(self, film_id: int, day: int) -> Film:
        """The film as lists know it, also when /movie/{id} denies an id that `ranking` gives."""
        ...

    def ranking(self, query: Query, day: int) -> Ranking:
        """The ids of a discover query."""
        ...

    def changes(self, first: int, last: int) -> Sequence[Change]:
        """Films changed from `first` to `last`, both included, each once."""
        ...

    def export(self, day: int) -> Iterator[Film]:
        """Every film that exists on the day, one at a time, with the five keys of the daily export."""
        ...


class Whole(Film):
    """A film with its blocks, which are made when they are looked at."""

    def __init__(self, film: Film, block: Callable[[str], bytes | None]) -> None:
        super().__init__(film)
        self._block = block

    def __missing__(self, name: str) -> Any:
        self[name] = orjson.loads(self._block(name) or BLOCKS[name])
        return self[name]


def ranked(query: Query, films: Iterable[tuple[int, Film]]) -> Ranking:
    """The ranking of films by their ids, by looking at every one."""
    found = sorted((query.sort_key(film), film_id) for film_id, film in films if query.matches(film))
    return Ranking([film_id for _, film_id in found[:LISTED_MAX]], len(found))


def export_row(film: Film) -> Film:
    """A film's line of the daily export; a key that it lacks is false, empty or 0."""
    defaults = {"adult": False, "id": 0, "original_title": "", "popularity": 0, "video": False}
    return {key: film.get(key, default) for key, default in defaults.items()}
