"""What the files say, as typed objects: dashboards, cards, filters and their places. `loader` makes them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from metabase import conditions
from metabase.template import Template, Value

COLUMNS = 24
"""Width of Metabase's grid."""

TAG_TYPES = {"string/=": "text", "number/=": "number", "date/single": "date"}
"""Type of the template tag by the type of a filter that fills a plain value in."""
FIELD = "dimension"
"""Type of the template tag of a filter on a column: Metabase writes the whole condition."""
ONE_VALUE = frozenset({"number/between", "number/>=", "number/<="})
"""Types of filters on a column that never take several values, beside those of dates."""

Choice = Value | tuple[Value, ...]
"""What is chosen in a filter: a value, or several where it is on a column."""


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
class Column:
    """A column of a dbt model."""

    model: str
    name: str

    def __str__(self) -> str:
        return f"{self.model}.{self.name}"


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
    """A filter widget; `key` is the template tag that it fills unless a place maps it elsewhere.

    With a `column` Metabase writes the condition on that column, offers its values and takes several; without
    one, the value itself stands in the SQL.
    """

    key: str
    name: str
    type: str
    default: Choice | None
    values: tuple[str | float, ...] | CardValues | None
    search: bool
    required: bool
    """It can't be emptied, and has a default."""
    preview: Offer = field(default_factory=Offer)
    column: Column | None = None
    multiple: bool = False
    """Several values can be chosen."""
    linked: tuple[str, ...] = ()
    """Filters whose values narrow what this one offers."""
    previous_keys: tuple[str, ...] = ()

    @property
    def tag_type(self) -> str:
        """text, number or date; `FIELD` for one on a column."""
        return FIELD if self.column else TAG_TYPES[self.type]


@dataclass(frozen=True)
class Tag:
    """A template tag of a card. `default` only where the SQL can't do without a value."""

    key: str
    name: str
    type: str
    default: Choice | None
    column: Column | None = None
    widget: str | None = None
    """Of a tag on a column, the type of the filter."""
    of_filter: bool = False
    """A dashboard's filter defines it."""


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
    empty: str | None = None
    """What the preview says where it has no row."""

    @property
    def defaults(self) -> dict[str, Choice]:
        """The values that its tags have when nobody chooses."""
        return {tag.key: tag.default for tag in self.tags if tag.default is not None}


@dataclass(frozen=True)
class Click:
    """What a click does: go to a `dashboard` (by key) or a `url`, else set filters of this dashboard.

    `sets` has the column of the result whose value a filter takes. In a table it is a click on `column`.
    """

    column: str | None
    dashboard: str | None
    tab: str | None
    url: str | None
    sets: Mapping[str, str]


@dataclass(frozen=True)
class Item:
    """What stands in one place: a card (its key in `card`), a `text` (Markdown), a `heading`, or `virtual`.

    `virtual` are the settings of any other place without a card, such as a link, as Metabase has them.
    """

    place: Place
    card: str | None
    text: str | None
    heading: str | None
    title: str | None
    settings: Mapping[str, Any]
    filters: Mapping[str, str]
    """Filter key to the card's template tag."""
    clicks: tuple[Click, ...] = ()
    series: tuple[str, ...] = ()
    """Cards drawn into this one."""
    virtual: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class Tab:
    """A tab with its layout; `name` is None on a dashboard without tabs, which has one of these."""

    name: str | None
    items: tuple[Item, ...]


@dataclass(frozen=True)
class Subscription:
    """The dashboard by e-mail: every `hour`, `day`, `week` or `month`.

    `at` is an hour of the day (0 to 23) in Metabase's report time zone, `day` a weekday (``mon``), `in_month`
    ``first``, ``mid`` or ``last``. `values` are what its filters have, where they differ from the defaults.
    """

    name: str
    to: tuple[str, ...]
    every: str
    at: int
    day: str | None
    in_month: str | None
    values: Mapping[str, Choice]
    skip_if_empty: bool


@dataclass(frozen=True)
class Alert:
    """An e-mail when a card has rows or passes the goal of its settings: `when` is rows, above or below."""

    card: str
    to: tuple[str, ...]
    when: str
    every: str
    at: int
    once: bool
    source: tuple[Path, int]


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
    pinned: int | None = None
    """Its place among what is pinned to the top of its collection, from 1."""
    subscriptions: tuple[Subscription, ...] = ()
    alerts: tuple[Alert, ...] = ()

    @property
    def items(self) -> Iterator[Item]:
        """What stands on it, over all tabs."""
        for tab in self.tabs:
            yield from tab.items

    @property
    def defaults(self) -> dict[str, Choice]:
        """Filter key to default, where it has one."""
        return {item.key: item.default for item in self.filters if item.default is not None}


@dataclass(frozen=True)
class Collection:
    """A collection by its path, such as ``TMDB/Cards``."""

    path: str
    description: str | None
    previous_names: tuple[str, ...]
    permissions: Mapping[str, str] = field(default_factory=dict)
    """``read``, ``write`` or ``none`` by group, those of the collection around it included."""

    @property
    def name(self) -> str:
        """The last part of the path."""
        return self.path.rsplit("/", 1)[-1]

    @property
    def parent(self) -> str | None:
        """The path of the collection that it is in; None for the root."""
        return self.path.rsplit("/", 1)[0] if "/" in self.path else None


@dataclass(frozen=True)
class Table:
    """A model in Metabase; `visibility` is None, or ``hidden``, ``technical``, ``cruft``: out of sight."""

    name: str | None
    visibility: str | None


@dataclass(frozen=True)
class Frame:
    """The preview's head and foot: `as_of` is the column with the dates of the data."""

    title: str
    as_of: Column | None
    attribution: str | None


@dataclass(frozen=True)
class Spec:
    """Everything that Metabase should have."""

    folder: Path
    database: str
    schemas: tuple[str, ...]
    """The schemas that dashboards may read."""
    dbt_project: Path
    exposures: Path
    """The file for the dbt exposures of these dashboards."""
    tables: Mapping[str, Table]
    preview: Frame
    owner: Mapping[str, str]
    url: str
    collections: tuple[Collection, ...]
    cards: Mapping[str, Card]
    dashboards: tuple[Dashboard, ...]
    """In the order in which people see them."""

    def cards_of(self, dashboard: Dashboard) -> list[Card]:
        """The cards on a dashboard, and those that its filters take their values from, each once."""
        keys = [key for item in dashboard.items for key in (item.card, *item.series) if key]
        keys += [f.values.card for f in dashboard.filters if isinstance(f.values, CardValues)]
        return [self.cards[key] for key in dict.fromkeys(keys)]


def render(
    card: Card,
    relations: Mapping[str, str],
    variables: Mapping[str, Value],
    values: Mapping[str, Choice | None] | None = None,
) -> tuple[str, dict[str, Value]]:
    """The card's SQL as plain PostgreSQL for these tag values, and psycopg's parameters for it.

    `values` by template tag; a tag that is not named there has its default, and one that is None has no
    value: its optional clauses are left out. Raises `SpecError` when the SQL can't do without that value.
    Dates are given as text (``2026-01-31``), spans as Metabase writes them (``2026-01-01~2026-01-31``).
    Raises `UsageError` for a value that a filter on a column does not take.
    """
    chosen: dict[str, Choice | None] = {**card.defaults, **(values or {})}
    plain: dict[str, Value | None] = {}
    written: dict[str, tuple[str, dict[str, Value]]] = {}
    for tag in card.tags:
        value = chosen.get(tag.key)
        if tag.column and tag.widget:
            column = f"{relations[tag.column.model]}.{tag.column.name}"
            written[tag.key] = conditions.condition(column, tag.widget, value, tag.key)
        # several are only for a condition, and one of them says that there is a value
        plain[tag.key] = (value[0] if value else None) if isinstance(value, tuple) else value
    return card.sql.for_postgres(relations, variables, plain, written)


def tag_values(
    dashboard: Dashboard, item: Item, values: Mapping[str, Choice | None] | None = None
) -> dict[str, Choice | None]:
    """What a dashboard's filters (`values` by filter key, else their defaults) give the tags of one place."""
    chosen: dict[str, Choice | None] = {**dashboard.defaults, **(values or {})}
    return {tag: chosen.get(key) for key, tag in item.filters.items()}


def offered(item: Filter, relations: Mapping[str, str]) -> str | None:
    """SQL for the values that a filter on a column offers, in their order; None for another filter."""
    if item.column is None or item.values is not None:
        return None
    column, relation = item.column.name, relations[item.column.model]
    # names of the project's own models and columns, which `check` has found
    return f"select distinct {column} from {relation} where {column} is not null order by {column}"  # noqa: S608
