"""The cards' answers, each kept once however many cards, places and filter values share it."""

import json
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor

from metabase.errors import UsageError, shown
from metabase.manifest import Manifest
from metabase.preview.queries import MOST_ROWS, Extent, Reader, Rows
from metabase.spec import Card, CardValues, Choice, Column, Filter, Spec, offered, render
from metabase.template import Value

MOST_LISTED = 500
"""Rows of a list in the file, which says how many there are in all."""
MOST_FILTERED = 100
"""The same, where a filter is set: there is one such list for every value of every filter."""
MOST_VALUES = 1000
"""Values of a dropdown that are read to choose from; Metabase reads as many."""


LISTED = frozenset({"string/=", "string/!=", "number/=", "number/!="})
"""Types of filters on a column for which Metabase lists the column's values."""


class Answers:
    """Runs cards in one snapshot of the warehouse and collects what they return."""

    def __init__(self, spec: Spec, manifest: Manifest, reader: Reader) -> None:
        self.reader = reader
        self._spec = spec
        self._relations = manifest.relations
        self._variables = manifest.variables
        self._asked: dict[str, int] = {}
        self._places: dict[Rows, int] = {}
        self._columns: dict[tuple[str, str], list[Value]] = {}

    @property
    def results(self) -> list[Rows]:
        """Every different answer, in the order of the numbers that `ask` gave."""
        return list(self._places)

    def ask(self, card: Card, questions: Iterable[tuple[Mapping[str, Choice | None], bool]]) -> list[int]:
        """The numbers of a card's answers to these tag values, each with whether they filter it. Raises
        `CardError`.
        """
        listed = card.display in ("table", "object")
        asked = []
        for values, filtered in questions:
            limit = (MOST_FILTERED if filtered else MOST_LISTED) if listed else MOST_ROWS
            sql, parameters = render(card, self._relations, self._variables, values)
            asked.append((json.dumps([sql, parameters, limit], sort_keys=True), sql, parameters, limit))
        new = {key: question for key, *question in asked if key not in self._asked}
        with ThreadPoolExecutor(self.reader.at_once) as threads:
            answers = list(threads.map(lambda question: self.reader.rows(*question), new.values()))
        for key, rows in zip(new, answers, strict=True):
            self._asked[key] = self._places.setdefault(rows, len(self._places))
        return [self._asked[key] for key, *_ in asked]

    def extent(self, column: Column) -> Extent:
        """The dates in a column. Raises `DashboardError`."""
        if column.model not in self._relations:
            file = shown(self._spec.folder / "metabase.yml")
            raise UsageError(f"{file}: `as_of` names {column}, and dbt has no such model for dashboards")
        return self.reader.extent(self._relations[column.model], column.name)

    def offered(self, item: Filter) -> list[Value]:
        """All values that a filter offers; where one types, what its file suggests. Raises `CardError`."""
        if isinstance(item.values, CardValues):
            return self.column(item.values.card, item.values.column)
        if item.values is not None or item.preview.values:
            return list(item.values or item.preview.values)
        sql = offered(item, self._relations)
        if sql and item.type in LISTED:
            rows = self.reader.rows(sql, {}, MOST_VALUES).rows
            return [row[0] for row in rows if row[0] is not None]
        order = item.preview.order
        return self.column(order.card, order.column) if order else []

    def column(self, card: str, name: str) -> list[Value]:
        """The values in a column of a card, in its order, each once, without nulls. Raises `CardError`."""
        if (card, name) not in self._columns:
            sql, parameters = render(self._spec.cards[card], self._relations, self._variables)
            rows = self.reader.rows(sql, parameters, MOST_VALUES)
            place = [column.name for column in rows.columns].index(name)
            values = (row[place] for row in rows.rows)
            self._columns[card, name] = list(dict.fromkeys(value for value in values if value is not None))
        return self._columns[card, name]
