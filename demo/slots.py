"""The places of the synthetic catalogue: which film stands where on which day, and how its measures move.

A catalogue of N films is N slots. About two thirds of the slots hold one film for ever. The others, the
recent films, turn over: every PERIOD days (at a day of the slot's own) the film leaves TMDB for good and a
new one, with a new id, is announced, released some weeks or months later, and has the usual life: a rise of
popularity to the release, then a decay. So on any day, past or future, there are N films, a plausible part
of them new, and every answer is computed directly for its day; nothing is simulated forward.

What a slot is made of is drawn in blocks of BLOCK slots into flat arrays, 17 bytes a slot, when a slot of the
block is first asked for. Days are proleptic ordinals (`date.toordinal()`).

Every film is edited once in EDIT_DAYS days, on days of its own. The fields take turns in the order of CYCLE,
which a film enters at a place of its own. So how often a field was edited by any day is a division, too.
"""

from array import array
from collections import Counter
from datetime import date
from math import exp, log, sin
from typing import Final

from demo.draws import UNIT, numbers, scramble

BLOCK: Final = 1024
#: Days that a recent film stays in the catalogue.
PERIOD: Final = 1826
#: Days between two edits of a film: about 1 % of films change a day (measured: 0.6–1.5 %).
EDIT_DAYS: Final = 80
MAX_SLOTS: Final = 1_000_000
#: Recent films' ids: the slot's own id plus this for every generation since 2004.
GENERATION_STEP: Final = 1_400_000
FIRST_DAY: Final = date(2005, 1, 1)
LAST_DAY: Final = date(2099, 12, 31)

#: What an edit touches. `credits` and `keywords` do not show in the film's own payload.
CYCLE: Final = [
    "poster", "genres", "overview", "credits", "tagline", "poster", "companies", "backdrop", "keywords",
    "collection", "poster", "genres", "runtime", "homepage", "overview", "tagline", "money", "countries",
    "backdrop", "title",
]  # fmt: skip
FIELDS: Final = Counter(CYCLE)
#: [entry][edits] → how often each field was edited in the first `edits` edits of a film that entered there.
_PARTIAL: Final = [
    [Counter((CYCLE * 2)[entry : entry + edits]) for edits in range(len(CYCLE))]
    for entry in range(len(CYCLE))
]

RECENT: Final = 1
ADULT: Final = 2
UNDATED: Final = 4
VIDEO: Final = 8

_GENERATION_ZERO: Final = (FIRST_DAY.toordinal() - PERIOD) // PERIOD
_YOUNGEST_CLASSIC: Final = date(2022, 6, 1).toordinal()
# days before that: their mean and the most, which is in 1899
_CLASSIC_MEAN: Final = 6_500
_CLASSIC_SPAN: Final = 45_000
#: Popularity by day of the week, Sunday first (ordinal % 7 == 0): people look films up at the weekend.
_WEEK: Final = (1.06, 0.99, 0.96, 0.95, 0.96, 1.01, 1.07)


class Slots:
    """`count` slots of the catalogue that `seed` draws."""

    def __init__(self, seed: str, count: int) -> None:
        if not 1 <= count <= MAX_SLOTS:
            raise ValueError(f"a synthetic catalogue has 1 to {MAX_SLOTS:,} films, not {count:,}")
        self.seed = seed
        self.count = count
        blocks = -(-count // BLOCK)
        padded = blocks * BLOCK
        #: Level of a classic's popularity, or a recent film's peak.
        self.fame = array("f", bytes(4 * padded))
        self.flags = bytearray(padded)
        #: Day of release of a classic; days from announcement to release of a recent film.
        self.release = array("i", bytes(4 * padded))
        #: Day of the turnover of a recent film's slot, within PERIOD.
        self.phase = array("H", bytes(2 * padded))
        #: Offset of the edits, within EDIT_DAYS.
        self.edit_phase = bytearray(padded)
        #: 32 random bits for all the small things.
        self.mix = array("I", bytes(4 * padded))
        self._drawn = bytearray(blocks)
        self._holes = numbers(f"{seed}:holes", 1)[0]

    def ready(self, slot: int) -> None:
        """Draw the slot's block, if that was not done yet."""
        block = slot // BLOCK
        if not self._drawn[block]:
            self._draw(block)

    def ready_all(self) -> None:
        """Draw every block: about 2 s for a million slots."""
        for first in range(0, self.count, BLOCK):
            self.ready(first)

    def _draw(self, block: int) -> None:
        drawn = numbers(f"{self.seed}:slots:{block}", 4 * BLOCK)
        for slot, at in enumerate(range(0, 4 * BLOCK, 4), block * BLOCK):
            first, second, third, mix = drawn[at : at + 4]
            recent = second & 0xFF < 90
            bump = ((first & 0xFF) + (first >> 8 & 0xFF) + (first >> 16 & 0xFF) + (first >> 24) - 510) / 147.8
            # Zipf-like over the whole million, the famous films in the low slots as TMDB has them at low ids:
            # the first 2,000 slots are about the 2,000 most popular of the million.
            level = 0.12 * exp(-0.6 * (log((slot + 3) / MAX_SLOTS) + 0.9 * bump))
            self.fame[slot] = min(level * 2.5, 620.0) if recent else min(level, 240.0)
            share = third * UNIT
            if recent:
                self.release[slot] = 15 + int(500 * share * share)
                self.phase[slot] = (second >> 8) % PERIOD
            else:
                before = min(int(-_CLASSIC_MEAN * log(1 - share)), _CLASSIC_SPAN)
                self.release[slot] = _YOUNGEST_CLASSIC - before
            self.edit_phase[slot] = (second >> 20) % EDIT_DAYS
            self.flags[slot] = (
                RECENT * recent
                | ADULT * (mix & 0x3F == 7 and slot > 20)
                | UNDATED * (mix >> 6 & 0x7F == 5)
                | VIDEO * (mix >> 13 & 0xFF == 9)
            )
            self.mix[slot] = mix
        self._drawn[block] = 1

    def generation(self, slot: int, day: int) -> int:
        """How often the slot has turned over by `day`; 0 for ever where it holds a classic."""
        if not self.flags[slot] & RECENT:
            return 0
        return (day - self.phase[slot]) // PERIOD - _GENERATION_ZERO

    def announced(self, slot: int, day: int) -> int:
        """The day on which the film of a recent slot that stands there on `day` came into the catalogue."""
        return day - (day - self.phase[slot]) % PERIOD

    def film_id(self, slot: int, generation: int) -> int:
        """Three ids of every four are taken, as on TMDB; which one is free is drawn."""
        block, at = divmod(slot, 3)
        hole = scramble(self._holes, block) & 3
        return 4 * block + 2 + at + (at >= hole) + generation * GENERATION_STEP

    def place(self, film_id: int) -> tuple[int, int] | None:
        """Slot and generation of a film id, the reverse of `film_id`; None for an id that no film has."""
        generation, rest = divmod(film_id - 2, GENERATION_STEP)
        block, at = divmod(rest, 4)
        hole = scramble(self._holes, block) & 3
        slot = 3 * block + at - (at > hole)
        if at == hole or film_id < 2 or slot >= self.count:
            return None
        self.ready(slot)
        return slot, generation

    def versions(self, slot: int, day: int) -> dict[str, int]:
        """How often each field of FIELDS has been edited by the end of `day`."""
        edits = (day - FIRST_DAY.toordinal() + self.edit_phase[slot]) // EDIT_DAYS
        rounds, rest = divmod(edits, len(CYCLE))
        partial = _PARTIAL[self.mix[slot] % len(CYCLE)][rest]
        return {field: rounds * count + partial[field] for field, count in FIELDS.items()}

    def release_day(self, slot: int, day: int) -> int:
        """Day of release of the film in the slot on `day`; its measures go by it also if it is UNDATED."""
        if self.flags[slot] & RECENT:
            return self.announced(slot, day) + self.release[slot]
        return self.release[slot]

    def popularity(self, slot: int, day: int) -> float:
        """Popularity on `day`, at least 0.0001, not rounded.

        It moves every day, but in one film of 1,000 stays as it was the day before: on TMDB 99.8 % move.
        """
        mix = self.mix[slot]
        noise = scramble(mix, day)
        at = day
        if noise % 1000 == 0:
            at -= 1
            noise = scramble(mix, at)
        value = self.fame[slot] * (0.95 + 0.1 * UNIT * noise) * _WEEK[at % 7]
        value *= 1 + 0.15 * sin(at / (20 + (mix >> 8 & 63)) + (mix >> 16))
        if self.flags[slot] & RECENT:
            value *= _life(at - self.announced(slot, day) - self.release[slot], mix)
        return value if value > 0.0001 else 0.0001

    def votes(self, slot: int, day: int) -> int:
        """Vote count on `day`: never falls, 0 before the release."""
        mix = self.mix[slot]
        # a fraction of a day that differs from day to day makes the steps uneven, yet never backward
        moment = day + UNIT * scramble(mix ^ 0x5BD1E995, day)
        age = moment - self.release_day(slot, day)
        if age <= 0:
            return 0
        recent = self.flags[slot] & RECENT
        fame = self.fame[slot] * (0.4 if recent else 1.0)
        size = 2000 * (fame / 5) ** (0.75 if fame > 5 else 1.74) * (0.35 + (mix >> 24) / 128)
        if recent:
            return int(size * (1 - exp(-age / 150) + age * 0.0003))
        # a classic's flow of votes is nearly steady by now; TMDB counts them since 2008
        return int(size * (0.7 + (moment - 733_000) * 0.0001))


def edit_phase_of(day: int) -> int:
    """The `edit_phase` of the films that were edited on `day`."""
    return -(day - FIRST_DAY.toordinal()) % EDIT_DAYS


def _life(age: float, mix: int) -> float:
    """Popularity relative to its peak, `age` days after the release: a rise, then a decay to a floor."""
    if age < 0:
        return 0.06 + 0.94 * exp(age / (18 + (mix & 31)))
    floor = 0.05 + (mix >> 5 & 31) / 160
    return floor + (1 - floor) * exp(-age / (15 + (mix >> 10 & 63)))
