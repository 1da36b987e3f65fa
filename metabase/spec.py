"""The files as checked, typed objects: `load()` reads `metabase.yml`, `dashboards/*.yml` and the cards' SQL.

Checked here, each problem with file and line: the JSON Schema, names that must be unique, the 24-column grid,
that every filter reaches a card and every template tag gets its value. Against the models checks `analysis`.
"""

import datetime as dt
import json
import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from jsonschema import Draft202012Validator
from jsonschema.exceptions import best_match
from referencing import Registry, Resource

from metabase import template
from metabase.errors import Problem, SpecError
from metabase.template import Template, Value

HERE = Path(__file__).resolve().parent
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


def load(folder: Path = HERE) -> Spec:
    """Read and check everything in a folder. Raises `SpecError` with every problem found."""
    return _Loader(folder).load()


_YamlLoader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # C where it was built: five times faster


class _File:
    """A YAML file whose values know their lines."""

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            text = path.read_text(encoding="utf-8")
        except OSError as error:
            raise SpecError([Problem(path, 1, f"can't be read: {error.strerror}")]) from error
        try:
            loader = _YamlLoader(text)
            self._node = loader.get_single_node()
            self.data: Any = loader.construct_document(self._node)
        except yaml.MarkedYAMLError as error:
            line = error.problem_mark.line + 1 if error.problem_mark else 1
            raise SpecError([Problem(path, line, f"is no YAML: {error.problem}")]) from error

    def line(self, *steps: str | int) -> int:
        """The line of the value at a path; that of the nearest thing above it if it is not there."""
        node, line = self._node, 1
        for step in steps:
            found = None
            if isinstance(node, yaml.MappingNode):
                for key, value in node.value:
                    if key.value == str(step):
                        found, line = value, key.start_mark.line + 1
            elif isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
                found = node.value[step]
                line = found.start_mark.line + 1
            if found is None:
                break
            node = found
        return line

    def problem(self, message: str, *steps: str | int) -> Problem:
        return Problem(self.path, self.line(*steps), message)

    def repeated_keys(self) -> Iterator[Problem]:
        """YAML takes the last of two equal keys; here that is a mistake."""
        stack = [self._node]
        while stack:
            node = stack.pop()
            if isinstance(node, yaml.MappingNode):
                seen = set()
                for key, value in node.value:
                    if key.value in seen:
                        yield Problem(self.path, key.start_mark.line + 1, f"{key.value!r} is here twice")
                    seen.add(key.value)
                    stack.append(value)
            elif isinstance(node, yaml.SequenceNode):
                stack.extend(node.value)


class _Loader:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.problems: list[Problem] = []
        self.templates: dict[Path, Template] = {}
        schemas = {
            name: json.loads((HERE / name).read_text()) for name in ("schema.json", "project.schema.json")
        }
        registry: Registry[Any] = Registry().with_resources(
            [(name, Resource.from_contents(schema)) for name, schema in schemas.items()]
        )
        self.validators = {
            name: Draft202012Validator(schema, registry=registry) for name, schema in schemas.items()
        }

    def load(self) -> Spec:
        project = self._read(self.folder / "metabase.yml", "project.schema.json")
        paths = sorted((self.folder / "dashboards").glob("*.yml"))
        files = [self._read(path, "schema.json") for path in paths]
        self._stop_at_problems()

        cards: dict[str, tuple[_File, str, Mapping[str, Any]]] = {}
        for file in [project, *files]:
            collection = file.data.get("cards_in") or file.data.get("collection") or file.data["root"]
            for key, raw in (file.data.get("cards") or {}).items():
                if key in cards:
                    self._problem(
                        file, f"there is a card {key!r} in {cards[key][0].path.name} too", "cards", key
                    )
                cards[key] = (file, collection, raw)
        tag_filters = self._tag_filters(files, cards)
        self._stop_at_problems()

        spec = Spec(
            database=project.data["database"],
            root=project.data["root"],
            owner=project.data["owner"],
            url=project.data.get("url", "http://127.0.0.1:3000").rstrip("/"),
            collections=tuple(
                Collection(path, (raw or {}).get("description"), tuple((raw or {}).get("previous_names", ())))
                for path, raw in project.data["collections"].items()
            ),
            cards={key: self._card(key, *cards[key], tag_filters.get(key, {})) for key in cards},
            dashboards=tuple(self._dashboard(file, cards) for file in files),
        )
        for path in sorted((self.folder / "cards").rglob("*.sql")):
            if path not in self.templates and path.parent.name != "snippets":
                self.problems.append(Problem(path, 1, "no card shows this: add one, or remove the file"))
        self._check_collections(project, files, spec)
        self._check_names(project, files, spec, cards)
        self._stop_at_problems()
        return spec

    # --- reading

    def _read(self, path: Path, schema: str) -> _File:
        file = _File(path)
        self.problems += file.repeated_keys()
        for error in self.validators[schema].iter_errors(file.data):
            # of the alternatives of a `oneOf`, what is wrong with the nearest
            nearest = best_match([error]) or error
            steps = list(nearest.absolute_path)
            where = "/".join(str(step) for step in steps)
            self._problem(file, f"{where or 'the file'}: {_plain(nearest)}", *steps)
        return file

    def _template(self, file: _File, key: str, raw: Mapping[str, Any]) -> Template | None:
        path = self.folder / "cards" / raw.get("sql", f"{key}.sql")
        if path not in self.templates:
            if not path.is_file():
                self._problem(file, f"the card {key!r} has no SQL: {path.name} is missing", "cards", key)
                return None
            try:
                self.templates[path] = template.read(path, self.folder / "cards" / "snippets")
            except SpecError as error:
                self.problems += error.problems
                return None
        return self.templates[path]

    # --- filters and tags

    def _tag_filters(
        self, files: list[_File], cards: Mapping[str, tuple[_File, str, Mapping[str, Any]]]
    ) -> dict[str, dict[str, Mapping[str, Any]]]:
        """By card key and tag, the filter that defines the tag's type; checks the mapping on the way."""
        found: dict[str, dict[str, Mapping[str, Any]]] = {}
        templates = {key: self._template(file, key, raw) for key, (file, _, raw) in cards.items()}
        for file in files:
            filters = file.data.get("filters") or {}
            reached = set()
            for steps, raw in _layout(file.data):
                key = raw.get("card")
                if key is None:
                    continue
                if key not in cards:
                    self._problem(file, f"there is no card {key!r}", *steps, "card")
                    continue
                sql = templates[key]
                if sql is None:
                    continue
                mapping = self._mapping(file, steps, raw, filters, sql)
                reached |= set(mapping)
                # kept off this place: the tag has no value there, and still a type
                for slug, tag in (raw.get("filters") or {}).items():
                    if tag is None and slug in sql.tags and slug in filters:
                        found.setdefault(key, {}).setdefault(slug, filters[slug])
                for slug, tag in mapping.items():
                    known = found.setdefault(key, {}).setdefault(tag, filters[slug])
                    if TAG_TYPES[known["type"]] != TAG_TYPES[filters[slug]["type"]]:
                        self._problem(
                            file, f"{{{{{tag}}}}} of {key!r} has a filter of another type elsewhere", *steps
                        )
            for slug in filters:
                if slug not in reached:
                    self._problem(file, f"the filter {slug!r} reaches no card", "filters", slug)
        for key, sql in templates.items():
            own = cards[key][2].get("tags") or {}
            if sql is None:
                continue
            for tag in sql.tags:
                if tag not in own and tag not in found.get(key, {}):
                    message = (
                        f"{{{{{tag}}}}} of {key!r} has neither a filter nor an entry in the card's `tags`"
                    )
                    self.problems.append(sql.problem(sql.tags[tag], message))
            for tag in own:
                if tag not in sql.tags:
                    self._problem(cards[key][0], f"the SQL has no {{{{{tag}}}}}", "cards", key, "tags", tag)
        return found

    def _mapping(
        self,
        file: _File,
        steps: tuple[str | int, ...],
        raw: Mapping[str, Any],
        filters: Mapping[str, Any],
        sql: Template,
    ) -> dict[str, str]:
        """Filter to tag for one place: same name, unless the place says otherwise."""
        given = raw.get("filters") or {}
        for slug, tag in given.items():
            if slug not in filters:
                self._problem(file, f"there is no filter {slug!r}", *steps, "filters", slug)
            if tag is not None and tag not in sql.tags:
                self._problem(
                    file, f"the SQL of {raw['card']!r} has no {{{{{tag}}}}}", *steps, "filters", slug
                )
        mapping = {slug: given.get(slug, slug) for slug in filters}
        return {slug: tag for slug, tag in mapping.items() if tag in sql.tags}

    # --- objects

    def _card(
        self,
        key: str,
        file: _File,
        collection: str,
        raw: Mapping[str, Any],
        filters: Mapping[str, Mapping[str, Any]],
    ) -> Card:
        sql = self.templates[self.folder / "cards" / raw.get("sql", f"{key}.sql")]
        tags = []
        for tag in sql.tags:
            own = (raw.get("tags") or {}).get(tag)
            source = own or filters[tag]
            default = source.get("default")
            if tag not in sql.required_tags:
                # Metabase would use it also where a person has emptied the filter
                default = own.get("default") if own else None
            elif default is None:
                message = f"{{{{{tag}}}}} stands outside of [[…]]: its filter (or `tags`) needs a default"
                self.problems.append(sql.problem(sql.required_tags[tag], message))
            kind = own["type"] if own else TAG_TYPES[source["type"]]
            self._check_value(file, kind, default, "cards", key)
            tags.append(Tag(tag, source.get("name") or tag.replace("_", " ").capitalize(), kind, default))
        settings = dict(raw.get("settings") or {})
        if raw.get("columns"):
            if "column_settings" in settings:
                self._problem(
                    file, "use either `columns` or `settings.column_settings`", "cards", key, "columns"
                )
            settings["column_settings"] = {
                json.dumps(["name", column], ensure_ascii=False, separators=(",", ":")): value
                for column, value in raw["columns"].items()
            }
        return Card(
            key=key,
            name=raw["name"],
            collection=collection,
            description=raw.get("description"),
            display=raw["display"],
            settings=settings,
            sql=sql,
            tags=tuple(tags),
            previous_names=tuple(raw.get("previous_names", ())),
            source=(file.path, file.line("cards", key)),
        )

    def _dashboard(self, file: _File, cards: Mapping[str, Any]) -> Dashboard:
        data = file.data
        raw_filters = data.get("filters") or {}
        required = set()
        tabs = []
        raw_tabs: list[tuple[str | None, tuple[str | int, ...], list[Any]]] = [
            (tab["name"], ("tabs", number, "layout"), tab["layout"])
            for number, tab in enumerate(data.get("tabs", []))
        ]
        for name, steps, layout in raw_tabs or [(None, ("layout",), data.get("layout", []))]:
            items: list[Item] = []
            for number, raw in enumerate(layout):
                mapping: dict[str, str] = {}
                if raw.get("card"):
                    key = raw["card"]
                    sql = self.templates[self.folder / "cards" / cards[key][2].get("sql", f"{key}.sql")]
                    mapping = self._mapping(file, (*steps, number), raw, raw_filters, sql)
                    required |= {slug for slug, tag in mapping.items() if tag in sql.required_tags}
                place = Place(**raw["at"])
                if place.col + place.width > COLUMNS:
                    message = (
                        f"column {place.col} + width {place.width} is more than the grid's {COLUMNS} columns"
                    )
                    self._problem(file, message, *steps, number, "at")
                for other, item in enumerate(items):
                    if place.overlaps(item.place):
                        line = file.line(*steps, other)
                        self._problem(file, f"overlaps what line {line} puts there", *steps, number, "at")
                items.append(
                    Item(
                        place=place,
                        card=raw.get("card"),
                        text=raw.get("text"),
                        heading=raw.get("heading"),
                        title=raw.get("title"),
                        settings=raw.get("settings") or {},
                        filters=mapping,
                    )
                )
            tabs.append(Tab(name, tuple(items)))
        names = [tab.name for tab in tabs]
        for number, tab_name in enumerate(names):
            if tab_name in names[:number]:
                self._problem(file, f"there are two tabs {tab_name!r}", "tabs", number)
        return Dashboard(
            key=file.path.stem,
            name=data["name"],
            collection=data["collection"],
            description=data["description"].strip(),
            width=data.get("width", "fixed"),
            filters=tuple(
                self._filter(file, slug, raw, slug in required, cards) for slug, raw in raw_filters.items()
            ),
            tabs=tuple(tabs),
            previous_names=tuple(data.get("previous_names", ())),
            path=file.path,
        )

    def _filter(
        self, file: _File, slug: str, raw: Mapping[str, Any], required: bool, cards: Mapping[str, Any]
    ) -> Filter:
        values = raw.get("values")
        if isinstance(values, dict):
            if values["card"] not in cards:
                self._problem(file, f"there is no card {values['card']!r}", "filters", slug, "values")
            values = CardValues(values["card"], values["column"])
        self._check_value(file, TAG_TYPES[raw["type"]], raw.get("default"), "filters", slug, "default")
        return Filter(
            key=slug,
            name=raw["name"],
            type=raw["type"],
            default=raw.get("default"),
            values=tuple(values) if isinstance(values, list) else values,
            search=raw.get("search", False),
            required=required,
        )

    # --- checks

    def _check_value(self, file: _File, kind: str, value: Value | None, *steps: str | int) -> None:
        if value is None:
            return
        good = {
            "text": isinstance(value, str),
            "number": isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value),
            "date": isinstance(value, str) and _is_date(value),
        }[kind]
        if not good:
            self._problem(file, f"the default {value!r} is no {kind}", *steps)

    def _check_collections(self, project: _File, files: list[_File], spec: Spec) -> None:
        known = {collection.path for collection in spec.collections}
        for collection in spec.collections:
            if collection.path.split("/")[0] != spec.root:
                message = f"{collection.path!r} is outside of the root {spec.root!r}"
                self._problem(project, message, "collections", collection.path)
            if collection.parent and collection.parent not in known:
                message = f"its parent {collection.parent!r} is missing"
                self._problem(project, message, "collections", collection.path)
        if spec.root not in known:
            self._problem(project, f"the root {spec.root!r} is missing", "collections")
        for file in [project, *files]:
            for key in ("collection", "cards_in"):
                path = file.data.get(key)
                if path is not None and path not in known:
                    message = f"the collection {path!r} is not in {project.path.name}"
                    self._problem(file, message, key)

    def _check_names(
        self, project: _File, files: list[_File], spec: Spec, cards: Mapping[str, tuple[_File, str, Any]]
    ) -> None:
        """Collection and name are the identity, so two of one name can't be; nor a name that another had."""
        seen: dict[tuple[str, str, str], str] = {}
        entries: list[tuple[_File, str, str, str, tuple[str, ...], tuple[str | int, ...]]] = [
            (cards[card.key][0], "card", card.collection, card.name, card.previous_names, ("cards", card.key))
            for card in spec.cards.values()
        ]
        for file, dashboard in zip(files, spec.dashboards, strict=True):
            former = dashboard.previous_names
            entries.append((file, "dashboard", dashboard.collection, dashboard.name, former, ("name",)))
        for item in spec.collections:
            where = ("collections", item.path)
            entries.append((project, "collection", item.parent or "", item.name, item.previous_names, where))
        for file, kind, collection, name, former, steps in entries:
            for title in (name, *former):
                other = seen.setdefault((kind, collection, title), name)
                if other != name or (title in former and title == name):
                    message = f"{title!r} is the name of two {kind}s in {collection!r}"
                    self._problem(file, message, *steps)
        names: dict[tuple[str, str, str], int] = {}
        for file, kind, collection, name, _, steps in entries:
            count = names[(kind, collection, name)] = names.get((kind, collection, name), 0) + 1
            if count > 1:
                self._problem(file, f"there are two {kind}s {name!r} in {collection!r}", *steps)

    def _problem(self, file: _File, message: str, *steps: str | int) -> None:
        self.problems.append(file.problem(message, *steps))

    def _stop_at_problems(self) -> None:
        if self.problems:
            raise SpecError(self.problems)


def _layout(data: Mapping[str, Any]) -> Iterable[tuple[tuple[str | int, ...], Mapping[str, Any]]]:
    """Each place of a dashboard's file, with its path in the file."""
    for number, raw in enumerate(data.get("layout") or []):
        yield ("layout", number), raw
    for tab, content in enumerate(data.get("tabs") or []):
        for number, raw in enumerate(content["layout"]):
            yield ("tabs", tab, "layout", number), raw


def _plain(error: Any) -> str:
    """What jsonschema says, without the whole instance in it."""
    if error.validator == "additionalProperties":
        return str(error.message).replace("Additional properties are not allowed", "unknown").strip()
    if error.validator == "oneOf":
        options = [branch["required"][0] for branch in error.validator_value if "required" in branch]
        if options:
            return f"needs exactly one of {', '.join(options)}"
    return str(error.message)


def _is_date(text: str) -> bool:
    try:
        dt.date.fromisoformat(text)
    except ValueError:
        return False
    return True
