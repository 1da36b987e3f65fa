"""A test's own changes on top of a source: films altered, added, deleted from a day on."""

from bisect import insort
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import orjson

from demo.source import BLOCKS, LISTED_MAX, Change, Film, Query, Ranking, Source

#: Keys to set on the film's payload; or a function that alters the payload or returns another; or a raw body.
Alteration = Mapping[str, Any] | Callable[[Film, date], Film | None] | bytes
_RANKINGS_KEPT = 32


@dataclass(frozen=True)
class _Override:
    change: Alteration
    since: int


@dataclass(frozen=True)
class _Deletion:
    since: int
    listed: bool


class Edited:
    """A source as it is after a test's changes. See `demo.server.StandIn` for what the methods promise."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self._overrides: dict[int, _Override] = {}
        self._deletions: dict[int, _Deletion] = {}
        self._rankings: OrderedDict[tuple[Query, int], Ranking] = OrderedDict()
        #: The last list of changes with its days: its pages are asked for one after the other.
        self._changes: tuple[int, int, Sequence[Change]] | None = None

    def override(self, film_id: int, change: Alteration, since: int) -> None:
        """Alter a film, or add one, from a day on."""
        self._overrides[film_id] = _Override(change, since)
        self._forget()

    def delete(self, film_id: int, since: int, listed: bool) -> None:
        """Answer 404 for a film from a day on; `listed` keeps it in discover and the export."""
        self._deletions[film_id] = _Deletion(since, listed)
        self._forget()

    def restore(self, film_id: int | None) -> None:
        """Take back every change of one film, or of all."""
        for changes in (self._overrides, self._deletions):
            if film_id is None:
                changes.clear()
            else:
                changes.pop(film_id, None)
        self._forget()

    def _forget(self) -> None:
        self._rankings.clear()
        self._changes = None

    def _override_on(self, film_id: int, day: int) -> _Override | None:
        override = self._overrides.get(film_id)
        return override if override is not None and override.since <= day else None

    def _deleted_on(self, film_id: int, day: int) -> bool:
        deletion = self._deletions.get(film_id)
        return deletion is not None and deletion.since <= day

    # --- films ----------------------------------------------------------------------------------------------

    def body(self, film_id: int, day: int) -> bytes | None:
        """JSON of /movie/{id} without blocks; None for a 404."""
        if self._deleted_on(film_id, day):
            return None
        override = self._override_on(film_id, day)
        if override is None:
            return self.source.body(film_id, day)
        if isinstance(override.change, bytes):
            return override.change
        film = self.film(film_id, day)
        return None if film is None else orjson.dumps(film)

    def film(self, film_id: int, day: int) -> Film | None:
        """The payload of /movie/{id} without blocks; None for a 404."""
        if self._deleted_on(film_id, day):
            return None
        return self._altered(film_id, day, self.source.film(film_id, day))

    def _altered(self, film_id: int, day: int, film: Film | None) -> Film | None:
        override = self._override_on(film_id, day)
        if override is None:
            return film
        change = override.change
        if isinstance(change, bytes):
            return orjson.loads(change)  # type: ignore[no-any-return]
        if isinstance(change, Mapping):
            return {**(film or {"id": film_id}), **change}
        film = film or {"id": film_id}
        returned = change(film, date.fromordinal(day))
        return film if returned is None else returned

    def block(self, name: str, film_id: int, day: int) -> bytes:
        """JSON of a block of append_to_response; empty for a film that only an override made."""
        if film_id in self._overrides and self.source.film(film_id, day) is None:
            return BLOCKS[name]
        return self.source.block(name, film_id, day)

    # --- lists ----------------------------------------------------------------------------------------------

    def listed(self, film_id: int, day: int) -> Film:
        """The film as lists know it."""
        if self._override_on(film_id, day) is None:
            return self.source.listed(film_id, day)
        film = self._altered(film_id, day, self.source.film(film_id, day))
        return film or self.source.listed(film_id, day)

    def ranking(self, query: Query, day: int) -> Ranking:
        """The ids of a discover query, the test's changes in place. The last few are kept."""
        ranking = self._rankings.get((query, day))
        if ranking is None:
            ranking = self._rankings[query, day] = self._rank(query, day)
            if len(self._rankings) > _RANKINGS_KEPT:
                self._rankings.popitem(last=False)
        return ranking

    def _rank(self, query: Query, day: int) -> Ranking:
        found = self.source.ranking(query, day)
        unlisted = {
            film_id
            for film_id, deletion in self._deletions.items()
            if deletion.since <= day and not deletion.listed
        }
        altered = {film_id for film_id, override in self._overrides.items() if override.since <= day}
        if not unlisted and not altered:
            return found
        ids = [film_id for film_id in found.ids if film_id not in unlisted and film_id not in altered]
        total = found.total - (len(found.ids) - len(ids))
        for film_id in altered - unlisted:
            film = self.listed(film_id, day)
            if query.matches(film):
                insort(ids, film_id, key=lambda other: query.sort_key(self.listed(other, day)))
                total += 1
        return Ranking(ids[:LISTED_MAX], total)

    def changes(self, first: int, last: int) -> Sequence[Change]:
        """The source's changes, then the test's own that took effect in these days."""
        if self._changes is None or self._changes[:2] != (first, last):
            self._changes = (first, last, self._list_changes(first, last))
        return self._changes[2]

    def _list_changes(self, first: int, last: int) -> Sequence[Change]:
        own = {
            film_id: None for film_id, deletion in self._deletions.items() if first <= deletion.since <= last
        }
        touched = [
            film_id for film_id, override in self._overrides.items() if first <= override.since <= last
        ]
        rows = [row for row in self.source.changes(first, last) if row.film_id not in own]
        seen = {row.film_id for row in rows}
        rows += [Change(film_id, False) for film_id in touched if film_id not in seen and film_id not in own]
        return rows + [Change(film_id, adult) for film_id, adult in own.items()]

    def export(self, day: int) -> Iterator[Film]:
        """The export of the day, without the films deleted, with those added."""
        added = {film_id for film_id in self._overrides if self._override_on(film_id, day)}
        for film in self.source.export(day):
            film_id = film["id"]
            added.discard(film_id)
            deletion = self._deletions.get(film_id)
            if deletion is None or deletion.since > day or deletion.listed:
                yield film
        for film_id in sorted(added):
            film = self.listed(film_id, day)
            if not self._deleted_on(film_id, day):
                yield {
                    "adult": film.get("adult", False),
                    "id": film_id,
                    "original_title": film.get("original_title", ""),
                    "popularity": film.get("popularity", 0),
                    "video": film.get("video", False),
                }
