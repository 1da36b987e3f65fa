"""What the page's program is handed: dashboards, filters, cards and answers, as JSON can hold them."""

import html
import itertools
import json
import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from markdown_it import MarkdownIt

from metabase.preview.answers import LISTED, Answers
from metabase.preview.choices import MOST_VALUES, Choice, choices, combinations, combine
from metabase.preview.queries import CardError, Extent, Rows
from metabase.spec import CardValues, Dashboard, Filter, Item, Spec, tag_values
from metabase.spec import Choice as Chosen

ASSETS = Path(__file__).resolve().parent / "assets"
PLOTS = frozenset({"bar", "row", "line", "area", "combo", "scatter", "pie", "map"})
"""Displays drawn as a chart."""
LISTS = frozenset({"table", "object", "scalar", "smartscalar"})
"""Displays shown as Metabase shows them, without a chart. All others are listed, and the page says so."""
EVERY_VALUE = 1000
"""Values of a dropdown, where each is answered when it is asked for; Metabase has as many."""

_MARKDOWN = MarkdownIt("commonmark", {"html": False})
_COLUMN_KEYS = {
    "column_title": "title",
    "number_style": "style",
    "decimals": "decimals",
    "currency": "currency",
    "prefix": "prefix",
    "suffix": "suffix",
    "scale": "scale",
    "show_mini_bar": "bar",
    "link_text": "linkText",
}
"""Metabase's column settings, and what the page's program calls them."""


@dataclass
class Content:
    """Builds the page's content; `failed` collects the cards whose SQL failed, with PostgreSQL's message.

    With `live` no card is asked: the page asks the server for each answer, so every value is offered.
    """

    spec: Spec
    answers: Answers
    live: bool = False
    most_values: int = MOST_VALUES
    failed: dict[str, str] = field(default_factory=dict)

    def build(self) -> dict[str, Any]:
        """Everything, the cards' answers included."""
        dashboards = [self._dashboard(dashboard) for dashboard in self.spec.dashboards]
        return {
            "live": self.live,
            "dashboards": dashboards,
            "names": self._names(),
            "results": [result(rows) for rows in self.answers.results],
            "spots": json.loads((ASSETS / "spots.json").read_text()),
            "world": json.loads((ASSETS / "world.json").read_text()),
        }

    def extent(self) -> Extent | None:
        """The dates of the data, where the files say which they are. Raises `DashboardError`."""
        column = self.spec.preview.as_of
        return self.answers.extent(column) if column else None

    def _names(self) -> dict[str, list[str]]:
        """By column, all names that a dropdown knows, the weightiest first: the page colours them by it."""
        names: dict[str, dict[str, None]] = {}
        for dashboard in self.spec.dashboards:
            for item in dashboard.filters:
                order = item.preview.order
                named = order or item.values
                if not isinstance(named, CardValues) or item.search or not _is_listed(item):
                    continue
                # what can't be asked is told where the filter is built
                with suppress(CardError):
                    values = [*(self.answers.column(order.card, order.column) if order else ())]
                    values += self.answers.offered(item)
                    names.setdefault(named.column, {}).update((str(value), None) for value in values)
        return {column: list(known) for column, known in names.items()}

    def _dashboard(self, dashboard: Dashboard) -> dict[str, Any]:
        try:
            offered = choices(dashboard, self.answers, EVERY_VALUE if self.live else self.most_values)
        except CardError as error:
            self.failed[f"{dashboard.name}: values of a filter"] = str(error)
            offered = []
        cards = [
            {"id": key, "tab": tab, **_place(item), **self._item(dashboard, item, offered)}
            for key, tab, item in items(dashboard)
        ]
        return {
            "slug": _slug(dashboard.key),
            "name": dashboard.name,
            "about": dashboard.description,
            "tabs": [tab.name for tab in dashboard.tabs if tab.name],
            "filters": [_filter(choice) for choice in offered],
            "note": _note(offered),
            # the page's foot has the attribution
            "cards": [
                card for card in cards if not (card["kind"] == "text" and self._is_in_foot(card["html"]))
            ],
        }

    def _is_in_foot(self, text: str) -> bool:
        return re.sub(r"<[^>]*>", "", html.unescape(text)).strip() == self.spec.preview.attribution

    def _item(self, dashboard: Dashboard, item: Item, offered: list[Choice]) -> dict[str, Any]:
        if item.heading is not None:
            return {"kind": "heading", "text": item.heading}
        if item.card is None and item.text is None:
            link = (item.virtual or {}).get("link", {}).get("url", "")
            return {"kind": "text", "html": _MARKDOWN.render(f"<{link}>" if link else "")}
        if item.card is None:
            return {"kind": "text", "html": _MARKDOWN.render(item.text or "")}
        card = self.spec.cards[item.card]
        settings = {**card.settings, **item.settings}
        results: dict[str, int] = {}
        error = None
        if not self.live:
            try:
                combined = list(combinations(offered, frozenset(item.filters)))
                questions = [(tag_values(dashboard, item, values), bool(name)) for name, values in combined]
                answers = self.answers.ask(card, questions)
                results = dict(zip((name for name, _ in combined), answers, strict=True))
            except CardError as problem:
                error = self.failed[f"{dashboard.name} / {card.name}"] = str(problem)
        known = card.display in PLOTS | LISTS
        return {
            "kind": "card",
            "title": item.title or settings.get("card.title") or card.name,
            "about": card.description,
            "empty": card.empty,
            "display": card.display,
            "plot": card.display in PLOTS,
            "instead": None if known else f"Metabase draws this as a {card.display}",
            "settings": {name: value for name, value in settings.items() if name != "column_settings"},
            "columns": _columns(settings),
            "clicks": [
                {
                    "column": click.column,
                    "slug": _slug(click.dashboard) if click.dashboard else None,
                    "tab": click.tab,
                    "url": click.url,
                    "sets": dict(click.sets),
                }
                for click in item.clicks
            ],
            "filters": list(item.filters),
            "results": results,
            "error": error,
        }


def items(dashboard: Dashboard) -> list[tuple[str, int, Item]]:
    """What stands on a dashboard: a key of the page for it, the place of its tab, and the thing."""
    found = [(tab, item) for tab, layout in enumerate(dashboard.tabs) for item in layout.items]
    return [(f"{dashboard.key}-{number}", tab, item) for number, (tab, item) in enumerate(found)]


def result(rows: Rows) -> dict[str, Any]:
    """A card's answer."""
    return {
        "columns": [
            {
                "name": column.name,
                "title": column.name,
                "type": column.type,
                # a year or an id is a name, not an amount: no thousands separator
                **(
                    {"plain": True}
                    if column.type == "integer" and re.search(r"\b(year|id|run)\b", column.name, re.I)
                    else {}
                ),
            }
            for column in rows.columns
        ],
        "rows": rows.rows,
        "total": rows.total,
    }


def _slug(key: str) -> str:
    return key.replace("_", "-")


def _is_listed(item: Filter) -> bool:
    return item.values is not None or (item.column is not None and item.type in LISTED)


def _place(item: Item) -> dict[str, int]:
    place = item.place
    return {"row": place.row, "col": place.col, "width": place.width, "height": place.height}


def _filter(choice: Choice) -> dict[str, Any]:
    item = choice.filter
    return {
        "key": item.key,
        "name": item.name,
        "kind": {"string": "text"}.get(family := item.type.partition("/")[0], family),
        "type": item.type,
        "default": choice.values[choice.default] if choice.values else item.default,
        "required": item.required,
        "search": item.search,
        "multiple": item.multiple,
        "listed": _is_listed(item),
        "options": [{"value": value, "label": _label(choice, value)} for value in choice.values],
    }


def _label(choice: Choice, value: Chosen | None) -> str:
    if value is None:
        return "Choose…" if choice.filter.search else "Any"
    return ", ".join(
        f"{one:g}" if isinstance(one, float) else str(one)
        for one in (value if isinstance(value, tuple) else (value,))
    )


def _note(offered: Sequence[Choice]) -> str:
    """What the filters can't do in a file."""
    notes = []
    if sum(len(choice.values) > 1 for choice in offered) > 1:
        pairs = [
            f"{first.filter.name} and {second.filter.name}"
            for first, second in itertools.combinations(offered, 2)
            if combine(first.filter, second.filter)
        ]
        notes.append(
            "This file answers one filter at a time"
            + "".join(f", and {pair} together" for pair in pairs)
            + "."
        )
    for choice in offered:
        some = sum(value is not None for value in choice.values)
        if choice.left_out:
            notes.append(f"{choice.filter.name}: {some} of {some + choice.left_out:,} values.")
        if not choice.values:
            notes.append(f"{choice.filter.name}: not in a file.")
    return " ".join([*notes, "`make preview SERVE=1` answers every combination and value."]) if notes else ""


def _columns(settings: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """The settings of columns by name."""
    columns = {}
    for key, raw in settings.get("column_settings", {}).items():
        name = json.loads(key)[1]
        columns[name] = {_COLUMN_KEYS[word]: value for word, value in raw.items() if word in _COLUMN_KEYS}
        if raw.get("view_as") == "link":
            columns[name]["link"] = True
        if raw.get("number_separators") == ".":
            columns[name]["plain"] = True
    return columns
