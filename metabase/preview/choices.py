"""The filters on a page without a database: which values it offers, and what to ask for each beforehand.

Every offered value of a filter is asked of the database once for every card that it reaches, and the answers
go into the page. So the filters work one at a time there, except for the pairs that the files name.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

from metabase.preview.answers import Answers
from metabase.spec import Choice as Chosen
from metabase.spec import Dashboard, Filter

MOST_VALUES = 40
"""Values offered by one filter unless one asks for more or fewer: each costs a query a card, and room."""

ANY = None


@dataclass(frozen=True)
class Choice:
    """A filter as the page offers it: `values` (`ANY`: not filtered) and the place of the one to begin with.

    `left_out` counts the values that only Metabase offers; without `values` the filter only works there.
    """

    filter: Filter
    values: tuple[Chosen | None, ...]
    default: int
    left_out: int


def choices(dashboard: Dashboard, answers: Answers, most: int = MOST_VALUES) -> list[Choice]:
    """What each filter of a dashboard offers, in its order. Raises `CardError` for values it can't read."""
    return [_choice(item, answers, most) for item in dashboard.filters]


def _choice(item: Filter, answers: Answers, most: int) -> Choice:
    found = answers.offered(item)
    start = _alone(item.default)
    kept: list[Chosen] = [*found]
    most = min(most, item.preview.most or most)
    if len(found) > most:
        order = found
        if item.preview.order:
            order = answers.column(item.preview.order.card, item.preview.order.column)
        wanted = set(order[:most])
        kept = [value for value in found if value in wanted]
    if start is not None and start not in kept:
        kept = [start, *kept]
    values: list[Chosen | None] = list(kept)
    if not item.required and kept:
        values.insert(0, ANY)
    default = values.index(start) if start is not None else 0
    return Choice(item, tuple(values), default, len(found) - len(set(kept) & set(found)))


def combinations(
    offered: list[Choice], reaching: frozenset[str]
) -> Iterator[tuple[str, dict[str, Chosen | None]]]:
    """What to ask for a card that these filters reach: the page's key for it, and values by filter.

    The first is that of the defaults; its key is empty.
    """
    mine = [choice for choice in offered if choice.filter.key in reaching and choice.values]
    start = {choice.filter.key: choice.values[choice.default] for choice in mine}
    yield "", start
    for choice in mine:
        for place, value in _others(choice):
            yield f"{choice.filter.key}={place}", {**start, choice.filter.key: value}
    for number, first in enumerate(mine):
        for second in mine[number + 1 :]:
            if not combine(first.filter, second.filter):
                continue
            for (place, value), (other_place, other_value) in product(_others(first), _others(second)):
                key = f"{first.filter.key}={place}&{second.filter.key}={other_place}"
                yield key, {**start, first.filter.key: value, second.filter.key: other_value}


def combine(first: Filter, second: Filter) -> bool:
    """Whether the page can combine the two."""
    return second.key in first.preview.together or first.key in second.preview.together


def _alone(value: Chosen | None) -> Chosen | None:
    """One of several is that one."""
    return value[0] if isinstance(value, tuple) and len(value) == 1 else value


def _others(choice: Choice) -> list[tuple[int, Chosen | None]]:
    return [(place, value) for place, value in enumerate(choice.values) if place != choice.default]
