"""A test's own changes on top of a source: films altered, added, deleted from a day on."""

from bisect import insort
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date
from functools import lru_cache
from typing import Any, NamedTuple

import orjson

from demo.source import BLOCKS, LISTED_MAX, Change, Film, Query, Ranking, Source, Whole, export_row

#: Keys to set on the film's payload, its blocks among them; or a function (payload, day) that alters the
#: payload or returns another; or a raw body.
Alteration = Mapping[str, Any] | Callable[[Film, date], Film | None] | bytes


class _Edit(NamedTuple):
    since: int
    #: What is altered; of a deletion, whether lists still have the film.
    what: Any


class Edited(Source):
    """A source as it is after a test's changes. See `demo.server.StandIn` for what the methods promise."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.moves_between_pages = source.moves_between_pages
        self._overrides: dict[int, _Edit] = {}
        self._deletions: dict[int, _Edit] = {}
        # the pages of a list are asked for one after the other
        self._ranking = lru_cache(32)(self._rank)
        self._changes = lru_cache(1)(self._change)
        self._by_imdb_id = lru_cache(1)(self._imdb_ids)

    def override(self, film_id: int, change: Alteration, since: int) -> None:
        """Alter a film, or add one, from a day on."""
        self._overrides[film_id] = _Edit(since, change)
        self._forget()

    def delete(self, film_id: int, since: int, listed: bool) -> None:
        """Answer 404 for a film from a day on; `listed` keeps it in discover and the export."""
        self._deletions[film_id] = _Edit(since, listed)
        self._forget()

    def restore(self, film_id: int | None) -> None:
        """Take back every change of one film, or of all."""
        for edits in (self._overrides, self._deletions):
            for edited in [film_id] if film_id is not None else [*edits]:
                edits.pop(edited, None)
        self._forget()

    def _forget(self) -> None:
        for cached in (self._ranking, self._changes, self._by_imdb_id):
            cached.cache_clear()

    def _overridden(self, day: int) -> set[int]:
        return {film_id for film_id, edit in self._overrides.items() if edit.since <= day}

    def _deleted(self, day: int) -> set[int]:
        return {film_id for film_id, edit in self._deletions.items() if edit.since <= day}

    def _unlisted(self, day: int) -> set[int]:
        return {film_id for film_id in self._deleted(day) if not self._deletions[film_id].what}

    def body(self, film_id: int, day: int) -> bytes | None:
        if film_id in self._deleted(day):
            return None
        if film_id not in self._overridden(day):
            return self.source.body(film_id, day)
        change = self._overrides[film_id].what
        return change if isinstance(change, bytes) else orjson.dumps(self.film(film_id, day))

    def film(self, film_id: int, day: int) -> Film | None:
        film = None if film_id in self._deleted(day) else self._altered(film_id, day)
        return film and {key: value for key, value in film.items() if key not in BLOCKS}

    def _altered(self, film_id: int, day: int) -> Film | None:
        """The payload, with the blocks that an override sets."""
        film = self.source.film(film_id, day)
        if film_id not in self._overridden(day):
            return film
        change = self._overrides[film_id].what
        film = film or {"id": film_id}
        if isinstance(change, bytes):
            altered: Film = orjson.loads(change)
            return altered
        if isinstance(change, Mapping):
            return {**film, **change}
        returned = change(film, date.fromordinal(day))
        return film if returned is None else returned

    def block(self, name: str, film_id: int, day: int) -> bytes | None:
        if film_id in self._overridden(day) and name in (film := self._altered(film_id, day) or {}):
            return orjson.dumps(film[name])
        return self.source.block(name, film_id, day)

    def find(self, imdb_id: str, day: int) -> int | None:
        """The film with that id of IMDb."""
        return self._by_imdb_id(day).get(imdb_id)

    def _imdb_ids(self, day: int) -> dict[str, int]:
        films = (self.film(row["id"], day) or {} for row in self.export(day))
        return {film["imdb_id"]: film["id"] for film in films if film.get("imdb_id")}

    def listed(self, film_id: int, day: int) -> Film:
        film = self._altered(film_id, day) if film_id in self._overridden(day) else None
        return film or self.source.listed(film_id, day)

    def whole(self, film_id: int, day: int) -> Whole:
        """The same with its blocks."""
        return Whole(self.listed(film_id, day), lambda name: self.block(name, film_id, day))

    def ranking(self, query: Query, day: int) -> Ranking:
        """The ids of a discover query, the test's changes in place."""
        return self._ranking(query, day)

    def _rank(self, query: Query, day: int) -> Ranking:
        found = self.source.ranking(query, day)
        unlisted, altered = self._unlisted(day), self._overridden(day)
        if not unlisted and not altered:
            return found
        ids = [film_id for film_id in found.ids if film_id not in unlisted | altered]
        total = found.total - (len(found.ids) - len(ids))
        for film_id in altered - unlisted:
            if query.matches(self.whole(film_id, day)):
                insort(ids, film_id, key=lambda other: query.sort_key(self.listed(other, day)))
                total += 1
        return Ranking(ids[:LISTED_MAX], total)

    def changes(self, first: int, last: int) -> Sequence[Change]:
        """The source's changes, then the test's own that took effect in these days."""
        return self._changes(first, last)

    def _change(self, first: int, last: int) -> Sequence[Change]:
        rows = {row.film_id: row for row in self.source.changes(first, last)}
        for edits, adult in ((self._overrides, False), (self._deletions, None)):
            for film_id, edit in edits.items():
                if first <= edit.since <= last:
                    rows[film_id] = Change(film_id, adult)
        return list(rows.values())

    def export(self, day: int) -> Iterator[Film]:
        """The export of the day, without the films deleted, with those added."""
        unlisted = self._unlisted(day)
        added = self._overridden(day) - self._deleted(day)
        for row in self.source.export(day):
            added.discard(row["id"])
            if row["id"] not in unlisted:
                yield row
        yield from (export_row(self.listed(film_id, day)) for film_id in sorted(added))
