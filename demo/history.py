"""Edits of films: which descriptive fields of a film have been changed how often by a day.

Every film is edited once in EDIT_DAYS days, on days of its own. The fields take turns in the order of CYCLE,
which a film enters at a place of its own. So how often a field was edited by any day is a division, not a
simulation, and the films that were edited on a day are those of one `edit_phase`.
"""

from collections import Counter
from typing import Final

from demo.slots import EDIT_DAYS, FIRST_DAY

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
_START: Final = FIRST_DAY.toordinal()


def versions(edit_phase: int, mix: int, day: int) -> dict[str, int]:
    """Edits by field by the end of `day`."""
    rounds, rest = divmod((day - _START + edit_phase) // EDIT_DAYS, len(CYCLE))
    partial = _PARTIAL[mix % len(CYCLE)][rest]
    return {field: rounds * count + partial[field] for field, count in FIELDS.items()}


def edit_phase_of(day: int) -> int:
    """The `edit_phase` of the films that were edited on `day`."""
    return -(day - _START) % EDIT_DAYS
