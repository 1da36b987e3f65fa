"""The synthetic catalogue: the films of `slots` by id and day, ranked and listed."""

from collections.abc import Iterator, Sequence
from datetime import date
from functools import lru_cache
from typing import Final

import orjson

from demo import blocks
from demo.draws import numbers, scramble
from demo.films import STATUSES, Films, Outline
from demo.slots import ADULT, FIRST_DAY, LAST_DAY, PERIOD, RECENT, UNDATED, VIDEO, Slots, edit_phase_of
from demo.source import Change, Film, Query, Ranking, Source, Whole, ranked

#: One slot in so many, and one in each of the ranges, holds a film that lists know but /movie/{id} denies
#: (measured: 4 of 13,849 ids that discover had just given).
_GHOST_EVERY: Final = 8_000
_GHOST_RANGES: Final = ((20, 400), (400, 2000))


class Catalogue(Source):
    """A synthetic source of `count` films; the same seed gives the same films, whatever the count.

    It knows the days from FIRST_DAY to LAST_DAY; its methods raise ValueError for others.
    """

    moves_between_pages = True

    def __init__(self, seed: str = "tmdb", count: int = 2000) -> None:
        self.slots = Slots(seed, count)
        self.films = Films(seed)
        *ghosts, phase = numbers(f"{seed}:ghosts", len(_GHOST_RANGES) + 1)
        self._ghosts = {a + n * (b - a) // 2**32 for (a, b), n in zip(_GHOST_RANGES, ghosts, strict=True)}
        self._ghost_phase = phase % _GHOST_EVERY
        # one request asks for a film's payload and its blocks
        self._outline = lru_cache(1)(self._find)
        # a day's lists and films are asked for more than once
        self._payload = lru_cache(4096)(self._make)

    def _find(self, film_id: int, day: int) -> Outline | None:
        _check(day)
        slot, generation = self.slots.place(film_id) or (-1, 0)
        if slot < 0 or generation != self.slots.generation(slot, day) or self._is_ghost(slot):
            return None
        return Outline(self.slots, slot, day)

    def _make(self, slot: int, day: int) -> bytes:
        return orjson.dumps(self.films.film(Outline(self.slots, slot, day)))

    def film(self, film_id: int, day: int) -> Film | None:
        """The payload of /movie/{id}; None for an id that is free, not announced yet, or gone."""
        body = self.body(film_id, day)
        return None if body is None else orjson.loads(body)

    def body(self, film_id: int, day: int) -> bytes | None:
        outline = self._outline(film_id, day)
        return None if outline is None else self._payload(outline.slot, day)

    def block(self, name: str, film_id: int, day: int) -> bytes | None:
        outline = self._outline(film_id, day)
        return None if outline is None else blocks.MAKERS[name](self.films, outline)

    def _is_ghost(self, slot: int) -> bool:
        return slot in self._ghosts or slot % _GHOST_EVERY == self._ghost_phase

    def _listed_day(self, slot: int, day: int) -> int:
        """Lists are a day late to notice that a film was replaced: they still give the id that is gone."""
        slots = self.slots
        turned_over = slots.flags[slot] & RECENT and (day - slots.phase[slot]) % PERIOD == 0
        return day - 1 if turned_over else day

    def _listed_id(self, slot: int, day: int) -> int:
        return self.slots.film_id(slot, self.slots.generation(slot, self._listed_day(slot, day)))

    def listed(self, film_id: int, day: int) -> Film:
        place = self.slots.place(film_id)
        if place is None:
            raise LookupError(f"no film has the id {film_id}")
        film: Film = orjson.loads(self._payload(place[0], self._listed_day(place[0], day)))
        return film

    def ranking(self, query: Query, day: int) -> Ranking:
        _check(day)
        self.slots.ready_all()
        known = self._sketch if query.sketched else self._whole
        slots = range(self.slots.count)
        return ranked(query, ((self._listed_id(slot, day), known(slot, day)) for slot in slots))

    def _sketch(self, slot: int, day: int) -> Film:
        """What the slots know of a film, which is much cheaper than the film."""
        slots, flags = self.slots, self.slots.flags[slot]
        released = slots.release_day(slot, self._listed_day(slot, day))
        return {
            "id": slot,
            "adult": flags & ADULT,
            "video": flags & VIDEO,
            "popularity": slots.popularity(slot, day),
            "vote_count": slots.votes(slot, day),
            "release_date": "" if flags & UNDATED else date.fromordinal(released).isoformat(),
        }

    def _whole(self, slot: int, day: int) -> Film:
        day = self._listed_day(slot, day)
        outline = Outline(self.slots, slot, day)
        film = orjson.loads(self._payload(slot, day))
        return Whole(film, lambda name: blocks.MAKERS[name](self.films, outline))

    def changes(self, first: int, last: int) -> Sequence[Change]:
        """Films edited, announced, released or gone from `first` to `last`, in an order of no meaning.

        `adult` is None for those that are gone.
        """
        _check(first)
        slots = self.slots
        slots.ready_all()
        edited = {edit_phase_of(day) for day in range(first, last + 1)}
        rows: list[Change] = []
        for slot in range(slots.count):
            generation = slots.generation(slot, last)
            new = slots.flags[slot] & RECENT and last - slots.announced(slot, last) <= last - first
            if new:
                rows.append(Change(slots.film_id(slot, generation - 1), None))
            if new or slots.edit_phase[slot] in edited or self._moved_on(slot, first, last):
                adult = None if self._is_ghost(slot) else bool(slots.flags[slot] & ADULT)
                rows.append(Change(slots.film_id(slot, generation), adult))
        rows.sort(key=lambda row: scramble(row.film_id, last))
        return rows

    def _moved_on(self, slot: int, first: int, last: int) -> bool:
        """Whether the film's status changed in these days: it nears its release, or is released."""
        release = self.slots.release_day(slot, last)
        return any(first <= release - before <= last for before in STATUSES)

    def export(self, day: int) -> Iterator[Film]:
        """Every film of the day in the order of the ids' slots."""
        _check(day)
        slots = self.slots
        for slot in range(slots.count):
            if not self._is_ghost(slot):
                outline = Outline(self.slots, slot, day)
                yield {
                    "adult": bool(outline.flags & ADULT),
                    "id": outline.film_id,
                    "original_title": self.films.original_title(outline),
                    "popularity": outline.popularity(),
                    "video": bool(outline.flags & VIDEO),
                }


def _check(day: int) -> None:
    if not FIRST_DAY.toordinal() <= day <= LAST_DAY.toordinal():
        raise ValueError(f"the synthetic catalogue knows the days from {FIRST_DAY} to {LAST_DAY}")
