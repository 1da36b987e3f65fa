"""What the files say, as typed objects: dashboards, cards, filters and their places. `loader` makes them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from metabase.template import Template, Value

COLUMNS = 24
"""Width of Metabase's grid."""

TAG_TYPES = {"string/=": "text", "number/=": "number", "date/single": "date"}
"""Template tag type by filter type."""


@dataclass(frozen=True)
class Place:
    """Row and column from 0, width and height in cells of the 24-column grid."""

    row: int
    col: int
    width: int
    height: int

    def overlaps(self, other: "Place") -> bool:
        """Whether the two share a cell."""
        return (
            self.col < other.col + other.width
            and other.col < self.col + self.width
            and self.row < other.row + other.height
            and other.row < self.row + self.height
        )


@dataclass(frozen=True)
class CardValues:
    """What a dropdown offers: a column of a card's result."""

    card: str
    column: str


@dataclass(frozen=True)
class Offer:
    """What the preview's file offers of a filter, which has no database to ask for every value.

    Its `values` where one types them in Metabase; else, of more than `most`, the first by `order`.
    """

    values: tuple[Value, ...] = ()
    most: int | None = None
    order: CardValues | None = None
    together: tuple[str, ...] = ()
    """Filters that can be combined with this one."""


@dataclass(frozen=True)
class Filter:
    """A filter widget; `key` is the template tag that it fills unless a place maps it elsewhere."""

    key: str
    name: str
    type: str
    default: Value | None
    values: tuple[str | float, ...] | CardValues | None
    search: bool
    required: bool
    """A card can't run without its value; it has a default then."""
    preview: Offer = field(default_factory=Offer)

    @property
    def tag_type(self) -> str:
        """text, number or date."""
        return TAG_TYPES[self.type]


@dataclass(frozen=True)
class Tag:
    """A template tag of a card. `default` only where the SQL can't do without a value."""

    key: str
    name: str
    type: str
    default: Value | None


@dataclass(frozen=True)
class Card:
    """A question: SQL and how to draw it. `settings` are Metabase's visualization_settings."""

    key: str
    name: str
    collection: str
    description: str | None
    display: str
    settings: Mapping[str, Any]
    sql: Template
    tags: tuple[Tag, ...]
    previous_names: tuple[str, ...]
    source: tuple[Path, int]
    """Where it is defined."""

    @property
    def defaults(self) -> dict[str, Value]:
        """The values that its tags have when nobody chooses."""
        return {tag.key: tag.default for tag in self.tags if tag.default is not None}


@dataclass(frozen=True)
class Item:
    """What stands in one place: a card (its key in `card`), else a `text` (Markdown) or a `heading`."""

    place: Place
    card: str | None
    text: str | None
    heading: str | None
    title: str | None
    settings: Mapping[str, Any]
    filters: Mapping[str, str]
    """Filter key to the card's template tag."""


@dataclass(frozen=True)
class Tab:
    """A tab with its layout; `name` is None on a dashboard without tabs, which has one of these."""

    name: str | None
    items: tuple[Item, ...]


@dataclass(frozen=True)
class Dashboard:
    """A dashboard; `key` is its file's name."""

    key: str
    name: str
    collection: str
    description: str
    width: str
    filters: tuple[Filter, ...]
    tabs: tuple[Tab, ...]
    previous_names: tuple[str, ...]
    path: Path

    @property
    def items(self) -> Iterator[Item]:
        """What stands on it, over all tabs."""
        for tab in self.tabs:
            yield from tab.items

    @property
    def defaults(self) -> dict[str, Value]:
        """Filter key to default, where it has one."""
        return {item.key: item.default for item in self.filters if item.default is not None}


@dataclass(frozen=True)
class Collection:
    """A collection by its path, such as ``TMDB/Cards``."""

    path: str
    description: str | None
    previous_names: tuple[str, ...]

    @property
    def name(self) -> str:
        """The last part of the path."""
        return self.path.rsplit("/", 1)[-1]

    @property
    def parent(self) -> str | None:
        """The path of the collection that it is in; None for the root."""
        return self.path.rsplit("/", 1)[0] if "/" in self.path else None


@dataclass(frozen=True)
class Spec:
    """Everything that Metabase should have."""

    database: str
    root: str
    owner: Mapping[str, str]
    url: str
    collections: tuple[Collection, ...]
    cards: Mapping[str, Card]
    dashboards: tuple[Dashboard, ...]
    """In the order in which people see them."""

    def cards_of(self, dashboard: Dashboard) -> list[Card]:
        """The cards on a dashboard, and those that its filters take their values from, each once."""
        keys = [item.card for item in dashboard.items if item.card]
        keys += [f.values.card for f in dashboard.filters if isinstance(f.values, CardValues)]
        return [self.cards[key] for key in dict.fromkeys(keys)]


def render(
    card: Card,
    relations: Mapping[str, str],
    variables: Mapping[str, Value],
    values: Mapping[str, Value | None] | None = None,
) -> tuple[str, dict[str, Value]]:
    """The card's SQL as plain PostgreSQL for these tag values, and psycopg's parameters for it.

    `values` by template tag; a tag that is not named there has its default, and one that is None has no
    value: its optional clauses are left out. Raises `SpecError` when the SQL can't do without that value.
    Dates are given as text (``2026-01-31``).
    """
    return card.sql.for_postgres(relations, variables, {**card.defaults, **(values or {})})


def tag_values(
    dashboard: Dashboard, item: Item, values: Mapping[str, Value | None] | None = None
) -> dict[str, Value | None]:
    """What a dashboard's filters (`values` by filter key, else their defaults) give the tags of one place."""
    chosen: dict[str, Value | None] = {**dashboard.defaults, **(values or {})}
    return {tag: chosen.get(key) for key, tag in item.filters.items()}
