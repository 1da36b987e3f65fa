"""The synthetic catalogue: the films of `slots` by id and day, ranked and listed."""

from array import array
from collections.abc import Collection, Iterator, Sequence
from datetime import date
from typing import Final

import orjson

from demo import blocks, history
from demo.draws import numbers, scramble
from demo.films import STATUSES, Films, Outline
from demo.query import Query
from demo.slots import ADULT, FIRST_DAY, LAST_DAY, PERIOD, RECENT, UNDATED, VIDEO, Slots
from demo.source import LISTED_MAX, Change, Film, Ranking

#: One slot in so many, and one in each of the ranges, holds a film that lists know but /movie/{id} denies
#: (measured: 4 of 13,849 ids that discover had just given).
_GHOST_EVERY: Final = 8_000
_GHOST_RANGES: Final = ((20, 400), (400, 2000))
#: No popularity is higher than this many times its slot's fame: noise, week and wave at their highest.
_BOUND: Final = 1.05 * 1.07 * 1.15


class Catalogue:
    """A synthetic source of `count` films; the same seed gives the same films, whatever the count."""

    moves_between_pages = True

    def __init__(self, seed: str = "tmdb", count: int = 2000) -> None:
        self.slots = Slots(seed, count)
        self.films = Films(self.slots)
        ghosts = numbers(f"{seed}:ghosts", len(_GHOST_RANGES) + 1)
        self._ghosts = {a + n * (b - a) // 2**32 for (a, b), n in zip(_GHOST_RANGES, ghosts, strict=False)}
        self._ghost_phase = ghosts[-1] % _GHOST_EVERY
        #: The last film asked for: one request asks for its payload and its blocks.
        self._last: tuple[int, int, Outline] | None = None
        self._by_fame: array[int] | None = None

    # --- one film -------------------------------------------------------------------------------------------

    def _outline(self, film_id: int, day: int) -> Outline | None:
        if self._last is not None and self._last[:2] == (film_id, day):
            return self._last[2]
        _check(day)
        place = self.slots.place(film_id)
        if place is None:
            return None
        slot, generation = place
        if generation != self.slots.generation(slot, day) or self._is_ghost(slot):
            return None
        outline = self.films.outline(slot, day)
        self._last = (film_id, day, outline)
        return outline

    def film(self, film_id: int, day: int) -> Film | None:
        """The payload of /movie/{id}; None for an id that is free, not announced yet, or gone."""
        outline = self._outline(film_id, day)
        return None if outline is None else self.films.film(outline)

    def body(self, film_id: int, day: int) -> bytes | None:
        """The same as JSON."""
        film = self.film(film_id, day)
        return None if film is None else orjson.dumps(film)

    def block(self, name: str, film_id: int, day: int) -> bytes | None:
        """JSON of a block; None for a film that does not exist."""
        outline = self._outline(film_id, day)
        return None if outline is None else blocks.MAKERS[name](self.films, outline)

    def _is_ghost(self, slot: int) -> bool:
        return slot in self._ghosts or slot % _GHOST_EVERY == self._ghost_phase

    # --- lists ----------------------------------------------------------------------------------------------

    def _listed_day(self, slot: int, day: int) -> int:
        """Lists are a day late to notice that a film was replaced: they still give the id that is gone."""
        slots = self.slots
        turned_over = slots.flags[slot] & RECENT and (day - slots.phase[slot]) % PERIOD == 0
        return day - 1 if turned_over else day

    def listed(self, film_id: int, day: int) -> Film:
        """The film as lists know it."""
        place = self.slots.place(film_id)
        if place is None:
            raise LookupError(f"no film has the id {film_id}")
        return self.films.film(self.films.outline(place[0], self._listed_day(place[0], day)))

    def ranking(self, query: Query, day: int) -> Ranking:
        """The first LISTED_MAX ids of a query."""
        _check(day)
        self.slots.ready_all()
        if query == Query(include_adult=query.include_adult, include_video=query.include_video):
            chosen, total = self._most_popular(query, day)
        else:
            chosen, total = self._search(query, day)
        return Ranking(array("i", (self._listed_id(slot, day) for slot in chosen)), total)

    def _listed_id(self, slot: int, day: int) -> int:
        return self.slots.film_id(slot, self.slots.generation(slot, self._listed_day(slot, day)))

    def _most_popular(self, query: Query, day: int) -> tuple[Sequence[int], int]:
        """Slots by popularity, without looking at those whose fame is too low for the first LISTED_MAX."""
        slots = self.slots
        hidden = (0 if query.include_adult else ADULT) | (0 if query.include_video else VIDEO)
        if self._by_fame is None:
            order = sorted(range(slots.count), key=slots.fame.__getitem__, reverse=True)
            self._by_fame = array("i", order)
        scored: list[tuple[float, int]] = []
        least = 0.0
        for at, slot in enumerate(self._by_fame):
            if at % 1000 == 0 and len(scored) >= LISTED_MAX:
                scored.sort(reverse=True)
                del scored[LISTED_MAX:]
                least = scored[-1][0]
            if slots.fame[slot] * _BOUND < least:
                break
            if not slots.flags[slot] & hidden:
                scored.append((slots.popularity(slot, day), slot))
        scored.sort(reverse=True)
        total = sum(not flags & hidden for flags in slots.flags[: slots.count])
        return [slot for _, slot in scored[:LISTED_MAX]], total

    def _search(self, query: Query, day: int) -> tuple[Sequence[int], int]:
        """Slots by looking at every film: at what the slots know of it, and at the whole film if need be."""
        found = []
        for slot in range(self.slots.count):
            film = self._sketch(slot, day) if query.sketched else self._whole(slot, day, query.blocks)
            if query.matches(film):
                found.append((query.sort_key(film), slot))
        found.sort()
        return [slot for _, slot in found[:LISTED_MAX]], len(found)

    def _sketch(self, slot: int, day: int) -> Film:
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

    def _whole(self, slot: int, day: int, wanted: Collection[str]) -> Film:
        outline = self.films.outline(slot, self._listed_day(slot, day))
        film = self.films.film(outline)
        return film | {name: orjson.loads(blocks.MAKERS[name](self.films, outline)) for name in wanted}

    # --- changes and export ---------------------------------------------------------------------------------

    def changes(self, first: int, last: int) -> Sequence[Change]:
        """Films edited, announced, released or gone from `first` to `last`, in an order of no meaning.

        `adult` is None for those that are gone.
        """
        _check(first)
        slots = self.slots
        slots.ready_all()
        touched = self._edited(first, last)
        rows: list[Change] = []
        for slot in range(slots.count):
            generation = slots.generation(slot, last)
            if slots.flags[slot] & RECENT and last - slots.announced(slot, last) <= last - first:
                touched.add(slot)
                rows.append(Change(slots.film_id(slot, generation - 1), None))
            elif self._moved_on(slot, first, last):
                touched.add(slot)
        for slot in touched:
            adult = None if self._is_ghost(slot) else bool(slots.flags[slot] & ADULT)
            rows.append(Change(slots.film_id(slot, slots.generation(slot, last)), adult))
        rows.sort(key=lambda row: scramble(row.film_id, last))
        return rows

    def _edited(self, first: int, last: int) -> set[int]:
        phases = bytes(self.slots.edit_phase[: self.slots.count])
        edited: set[int] = set()
        for day in range(first, last + 1):
            wanted = history.edit_phase_of(day)
            slot = phases.find(wanted)
            while slot >= 0:
                edited.add(slot)
                slot = phases.find(wanted, slot + 1)
        return edited

    def _moved_on(self, slot: int, first: int, last: int) -> bool:
        """Whether the film's status changed in these days: it nears its release, or is released."""
        release = self.slots.release_day(slot, last)
        return any(first <= release - before <= last for before in STATUSES)

    def export(self, day: int) -> Iterator[Film]:
        """Every film of the day in the order of the ids' slots, one at a time."""
        _check(day)
        slots, films = self.slots, self.films
        for slot in range(slots.count):
            if self._is_ghost(slot):
                continue
            outline = films.outline(slot, day)
            yield {
                "adult": bool(slots.flags[slot] & ADULT),
                "id": outline.film_id,
                "original_title": films.original_title(outline),
                "popularity": round(slots.popularity(slot, day), 4),
                "video": bool(slots.flags[slot] & VIDEO),
            }


def _check(day: int) -> None:
    if not FIRST_DAY.toordinal() <= day <= LAST_DAY.toordinal():
        raise ValueError(f"the synthetic catalogue knows the days from {FIRST_DAY} to {LAST_DAY}")
