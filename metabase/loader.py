"""`load()` reads `metabase.yml`, `dashboards/*.yml` and the cards' SQL into the objects of `spec`.

Checked here, each problem with file and line: the JSON Schema, names that must be unique, the 24-column grid,
that every filter reaches a card and every template tag gets its value. Against the models checks `analysis`.
"""

import datetime as dt
import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import best_match
from referencing import Registry, Resource

from metabase import conditions, template
from metabase.errors import Problem, SpecError
from metabase.spec import (
    COLUMNS,
    FIELD,
    ONE_VALUE,
    TAG_TYPES,
    Alert,
    Card,
    CardValues,
    Choice,
    Click,
    Collection,
    Column,
    Dashboard,
    Filter,
    Frame,
    Item,
    Offer,
    Place,
    Spec,
    Subscription,
    Tab,
    Table,
    Tag,
)
from metabase.template import Template
from metabase.yamlfile import YamlFile

HERE = Path(__file__).resolve().parent

Steps = tuple[str | int, ...]


def load(folder: Path = HERE) -> Spec:
    """Read and check everything in a folder. Raises `SpecError` with every problem found."""
    return _Loader(folder).load()


def schema(name: str = "schema.json") -> dict[str, Any]:
    """A JSON Schema of the files."""
    content: dict[str, Any] = json.loads((HERE / name).read_text(encoding="utf-8"))
    return content


@dataclass(frozen=True)
class _RawCard:
    """A card as its file has it, and the file."""

    key: str
    file: YamlFile
    collection: str
    raw: Mapping[str, Any]

    @property
    def sql(self) -> str:
        """The file of its query, below cards/."""
        return str(self.raw.get("sql", f"{self.key}.sql"))


class _Loader:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.problems: list[Problem] = []
        self.templates: dict[Path, Template] = {}
        self.cards: dict[str, _RawCard] = {}
        schemas = {name: schema(name) for name in ("schema.json", "project.schema.json")}
        registry: Registry[Any] = Registry().with_resources(
            [(name, Resource.from_contents(content)) for name, content in schemas.items()]
        )
        self.validators = {
            name: Draft202012Validator(content, registry=registry) for name, content in schemas.items()
        }

    def load(self) -> Spec:
        project = self._read(self.folder / "metabase.yml", "project.schema.json")
        paths = sorted((self.folder / "dashboards").glob("*.yml"))
        files = [self._read(path, "schema.json") for path in paths]
        self._stop_at_problems()
        files = self._in_order(project, files)
        for file in [project, *files]:
            self._collect_cards(file)
        self._stop_at_problems()
        tag_filters = self._tag_filters(files)
        self._stop_at_problems()

        data = project.data
        dbt_project = (self.folder / data.get("dbt_project", "../dbt_project")).resolve()
        order = data.get("order") or []
        frame = data.get("preview") or {}
        spec = Spec(
            folder=self.folder,
            database=data["database"],
            schemas=tuple(data.get("schemas") or ("marts", "analytics")),
            dbt_project=dbt_project,
            exposures=dbt_project / data.get("exposures", "models/exposures/_dashboards.yml"),
            tables={
                name: Table((raw or {}).get("name"), (raw or {}).get("visibility"))
                for name, raw in (data.get("tables") or {}).items()
            },
            preview=Frame(
                title=frame.get("title", data["database"]),
                as_of=_column(frame.get("as_of")),
                attribution=frame.get("attribution"),
            ),
            owner=data["owner"],
            url=data.get("url", "http://127.0.0.1:3000").rstrip("/"),
            collections=self._collections(project),
            cards={key: self._card(card, tag_filters.get(key, {})) for key, card in self.cards.items()},
            dashboards=tuple(self._dashboard(file, order) for file in files),
        )
        for path in sorted((self.folder / "cards").rglob("*.sql")):
            if path not in self.templates and path.parent.name != "snippets":
                self.problems.append(Problem(path, 1, "no card shows this: add one, or remove the file"))
        self._check_collections(project, files, spec)
        self._check_names(project, files, spec)
        self._check_clicks(files, spec)
        self._stop_at_problems()
        return spec

    # --- reading

    def _in_order(self, project: YamlFile, files: list[YamlFile]) -> list[YamlFile]:
        """The dashboards that the project's file names, in its order; then the others by file."""
        order = project.data.get("order") or []
        stems = [file.path.stem for file in files]
        for number, key in enumerate(order):
            if key not in stems:
                self._problem(project, f"there is no dashboard {key!r}", "order", number)
        return sorted(
            files,
            key=lambda file: order.index(file.path.stem) if file.path.stem in order else len(order),
        )

    def _read(self, path: Path, name: str) -> YamlFile:
        file = YamlFile(path)
        self.problems += file.repeated_keys()
        for error in self.validators[name].iter_errors(file.data):
            # of the alternatives of a `oneOf`, what is wrong with the nearest
            nearest = best_match([error]) or error
            steps = list(nearest.absolute_path)
            where = "/".join(str(step) for step in steps)
            self._problem(file, f"{where or 'the file'}: {_plain(nearest)}", *steps)
        return file

    def _collect_cards(self, file: YamlFile) -> None:
        collection = file.data.get("cards_in") or file.data.get("collection")
        for key, raw in (file.data.get("cards") or {}).items():
            if key in self.cards:
                other = self.cards[key].file.path.name
                self._problem(file, f"there is a card {key!r} in {other} too", "cards", key)
            where = raw.get("collection") or collection
            if where is None:
                message = f"the card {key!r} is in no collection: say `cards_in`, or its `collection`"
                self._problem(file, message, "cards", key)
            self.cards[key] = _RawCard(key, file, where or "", raw)

    def _template(self, card: _RawCard) -> Template | None:
        path = self.folder / "cards" / card.sql
        if path not in self.templates:
            if not path.is_file():
                message = f"the card {card.key!r} has no SQL: {path.name} is missing"
                self._problem(card.file, message, "cards", card.key)
                return None
            try:
                self.templates[path] = template.read(path, self.folder / "cards" / "snippets")
            except SpecError as error:
                self.problems += error.problems
                return None
        return self.templates[path]

    # --- filters and tags

    def _tag_filters(self, files: list[YamlFile]) -> dict[str, dict[str, Mapping[str, Any]]]:
        """By card key and tag, the filter that defines the tag's type; checks the mapping on the way."""
        found: dict[str, dict[str, Mapping[str, Any]]] = {}
        templates = {key: self._template(card) for key, card in self.cards.items()}
        for file in files:
            filters = file.data.get("filters") or {}
            reached = set()
            for steps, raw in _layout(file.data):
                key = raw.get("card")
                if key is None:
                    continue
                if key not in self.cards:
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
                    if _tag_kind(known) != _tag_kind(filters[slug]):
                        self._problem(
                            file, f"{{{{{tag}}}}} of {key!r} has a filter of another type elsewhere", *steps
                        )
            narrowing = {other for raw in filters.values() for other in raw.get("linked") or ()}
            for slug in filters:
                if slug not in reached and slug not in narrowing:
                    self._problem(file, f"the filter {slug!r} reaches no card", "filters", slug)
        for key, sql in templates.items():
            own = self.cards[key].raw.get("tags") or {}
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
                    message = f"the SQL has no {{{{{tag}}}}}"
                    self._problem(self.cards[key].file, message, "cards", key, "tags", tag)
        return found

    def _mapping(
        self, file: YamlFile, steps: Steps, raw: Mapping[str, Any], filters: Mapping[str, Any], sql: Template
    ) -> dict[str, str]:
        """Filter to tag for one place: same name, unless the place says otherwise."""
        given = raw.get("filters") or {}
        for slug, tag in given.items():
            if slug not in filters:
                self._problem(file, f"there is no filter {slug!r}", *steps, "filters", slug)
            if tag is not None and tag not in sql.tags:
                message = f"the SQL of {raw['card']!r} has no {{{{{tag}}}}}"
                self._problem(file, message, *steps, "filters", slug)
        mapping = {slug: given.get(slug, slug) for slug in filters}
        return {slug: tag for slug, tag in mapping.items() if tag in sql.tags}

    # --- objects

    def _collections(self, project: YamlFile) -> tuple[Collection, ...]:
        found: dict[str, Collection] = {}
        for path, raw in project.data["collections"].items():
            data = raw or {}
            around = found.get(path.rsplit("/", 1)[0])
            permissions = {**(around.permissions if around else {}), **data.get("permissions", {})}
            former = tuple(data.get("previous_names", ()))
            found[path] = Collection(path, data.get("description"), former, permissions)
        return tuple(found.values())

    def _card(self, card: _RawCard, filters: Mapping[str, Mapping[str, Any]]) -> Card:
        key, file, raw = card.key, card.file, card.raw
        sql = self.templates[self.folder / "cards" / card.sql]
        tags = []
        for tag in sql.tags:
            own = (raw.get("tags") or {}).get(tag)
            source = own or filters[tag]
            kind, column = (own["type"], None) if own else _tag_kind(source)
            default = _choice(source.get("default"))
            if tag not in sql.required_tags or column:
                # Metabase would use it also where a person has emptied the filter
                default = _choice(own.get("default")) if own else None
            elif default is None:
                message = f"{{{{{tag}}}}} stands outside of [[…]]: its filter (or `tags`) needs a default"
                self.problems.append(sql.problem(sql.required_tags[tag], message))
            self._check_value(file, kind, None, default, "cards", key)
            tags.append(
                Tag(
                    key=tag,
                    name=(own or {}).get("name") or tag.replace("_", " ").capitalize(),
                    type=kind,
                    default=default,
                    column=_column(column),
                    widget=source["type"] if column else None,
                    of_filter=own is None,
                )
            )
        return Card(
            key=key,
            name=raw["name"],
            collection=card.collection,
            description=raw.get("description"),
            display=raw["display"],
            settings=self._settings(file, raw, "cards", key),
            sql=sql,
            tags=tuple(tags),
            previous_names=tuple(raw.get("previous_names", ())),
            empty=raw.get("empty"),
            source=(file.path, file.line("cards", key)),
        )

    def _settings(self, file: YamlFile, raw: Mapping[str, Any], *steps: str | int) -> dict[str, Any]:
        """`settings`, `columns` and `other_settings` as Metabase has them: in one."""
        settings = dict(raw.get("settings") or {})
        if raw.get("columns"):
            if "column_settings" in settings:
                self._problem(file, "use either `columns` or `settings.column_settings`", *steps, "columns")
            settings["column_settings"] = {
                column_key(column): value for column, value in raw["columns"].items()
            }
        for name, value in (raw.get("other_settings") or {}).items():
            if name == "column_settings" and isinstance(value, Mapping):
                known = settings.get(name) or {}
                value = {**known, **{key: {**known.get(key, {}), **more} for key, more in value.items()}}
            settings[name] = value
        return settings

    def _dashboard(self, file: YamlFile, order: list[str]) -> Dashboard:
        data = file.data
        raw_filters = data.get("filters") or {}
        required = set()
        tabs = []
        raw_tabs: list[tuple[str | None, Steps, list[Any]]] = [
            (tab["name"], ("tabs", number, "layout"), tab["layout"])
            for number, tab in enumerate(data.get("tabs", []))
        ]
        for name, steps, layout in raw_tabs or [(None, ("layout",), data.get("layout", []))]:
            items: list[Item] = []
            for number, raw in enumerate(layout):
                mapping: dict[str, str] = {}
                if raw.get("card"):
                    sql = self.templates[self.folder / "cards" / self.cards[raw["card"]].sql]
                    mapping = self._mapping(file, (*steps, number), raw, raw_filters, sql)
                    required |= {slug for slug, tag in mapping.items() if tag in sql.required_tags}
                items.append(self._item(file, (*steps, number), raw, mapping, items))
            tabs.append(Tab(name, tuple(items)))
        names = [tab.name for tab in tabs]
        for number, tab_name in enumerate(names):
            if tab_name in names[:number]:
                self._problem(file, f"there are two tabs {tab_name!r}", "tabs", number)
        filters = tuple(self._filter(file, slug, raw, slug in required) for slug, raw in raw_filters.items())
        key = file.path.stem
        return Dashboard(
            key=key,
            name=data["name"],
            collection=data["collection"],
            description=data["description"].strip(),
            width=data.get("width", "fixed"),
            filters=filters,
            tabs=tuple(tabs),
            previous_names=tuple(data.get("previous_names", ())),
            path=file.path,
            pinned=order.index(key) + 1 if key in order else None,
            subscriptions=self._subscriptions(file, filters),
            alerts=self._alerts(file),
        )

    def _item(
        self,
        file: YamlFile,
        steps: Steps,
        raw: Mapping[str, Any],
        mapping: dict[str, str],
        before: list[Item],
    ) -> Item:
        place = Place(**raw["at"])
        if place.col + place.width > COLUMNS:
            message = f"column {place.col} + width {place.width} is more than the grid's {COLUMNS} columns"
            self._problem(file, message, *steps, "at")
        for other, item in enumerate(before):
            if place.overlaps(item.place):
                line = file.line(*steps[:-1], other)
                self._problem(file, f"overlaps what line {line} puts there", *steps, "at")
        for key in raw.get("series") or ():
            if key not in self.cards:
                self._problem(file, f"there is no card {key!r}", *steps, "series")
        if raw.get("click") and not raw.get("card"):
            self._problem(file, "only a card can be clicked", *steps, "click")
        return Item(
            place=place,
            card=raw.get("card"),
            text=raw.get("text"),
            heading=raw.get("heading"),
            title=raw.get("title"),
            settings=self._settings(file, raw, *steps),
            filters=mapping,
            clicks=_clicks(raw.get("click")),
            series=tuple(raw.get("series") or ()),
            virtual=raw.get("virtual"),
        )

    def _filter(self, file: YamlFile, slug: str, raw: Mapping[str, Any], required: bool) -> Filter:
        steps = ("filters", slug)
        values = raw.get("values")
        if isinstance(values, dict):
            values = self._card_values(file, values, *steps, "values")
        kind, column = _tag_kind(raw)
        if column is None and raw["type"] not in TAG_TYPES:
            message = f"a filter of type {raw['type']} must name its `column`"
            self._problem(file, message, *steps, "type")
        multiple = bool(column) and not raw["type"].startswith("date/") and raw["type"] not in ONE_VALUE
        if raw.get("multiple") and not multiple:
            self._problem(
                file, "takes one value: only a filter on a column takes several", *steps, "multiple"
            )
        multiple = multiple and raw.get("multiple", True)
        default = _choice(raw.get("default"))
        self._check_value(file, kind, raw["type"], default, *steps, "default")
        if (
            isinstance(default, tuple)
            and len(default) > 1
            and not multiple
            and raw["type"] != "number/between"
        ):
            self._problem(file, "takes one value", *steps, "default")
        if raw.get("required") and default is None:
            self._problem(file, "a required filter needs a default", *steps, "required")
        linked = tuple(raw.get("linked") or ())
        for other in linked:
            target = (file.data["filters"] or {}).get(other)
            if other == slug or target is None:
                self._problem(file, f"there is no filter {other!r} to link", *steps, "linked")
            elif not (column and target.get("column")) or values is not None:
                message = "only filters on columns that offer the column's own values can be linked"
                self._problem(file, message, *steps, "linked")
        for former in raw.get("previous_keys") or ():
            if former in file.data["filters"]:
                self._problem(file, f"{former!r} is another filter", *steps, "previous_keys")
        return Filter(
            key=slug,
            name=raw["name"],
            type=raw["type"],
            default=default,
            values=tuple(values) if isinstance(values, list) else values,
            search=raw.get("search", False),
            required=required or raw.get("required", False),
            preview=self._offer(file, slug, raw),
            column=_column(column),
            multiple=multiple,
            linked=linked,
            previous_keys=tuple(raw.get("previous_keys") or ()),
        )

    def _offer(self, file: YamlFile, slug: str, raw: Mapping[str, Any]) -> Offer:
        data = raw.get("preview") or {}
        steps = ("filters", slug, "preview")
        for value in data.get("values", ()):
            self._check_value(file, _tag_kind(raw)[0], raw["type"], value, *steps, "values")
        for other in data.get("together", ()):
            if other not in file.data["filters"]:
                self._problem(file, f"there is no filter {other!r}", *steps, "together")
        order = data.get("order")
        return Offer(
            values=tuple(data.get("values", ())),
            most=data.get("most"),
            order=self._card_values(file, order, *steps, "order") if order else None,
            together=tuple(data.get("together", ())),
        )

    def _card_values(self, file: YamlFile, raw: Mapping[str, Any], *steps: str | int) -> CardValues:
        if raw["card"] not in self.cards:
            self._problem(file, f"there is no card {raw['card']!r}", *steps)
        return CardValues(raw["card"], raw["column"])

    def _subscriptions(self, file: YamlFile, filters: tuple[Filter, ...]) -> tuple[Subscription, ...]:
        known = {item.key: item for item in filters}
        found: list[Subscription] = []
        for number, raw in enumerate(file.data.get("subscriptions") or ()):
            steps = ("subscriptions", number)
            values = {key: _choice(value) for key, value in (raw.get("filters") or {}).items()}
            for key, value in values.items():
                if key not in known:
                    self._problem(file, f"there is no filter {key!r}", *steps, "filters", key)
                else:
                    self._check_value(
                        file, known[key].tag_type, known[key].type, value, *steps, "filters", key
                    )
            name = raw.get("name") or file.data["name"]
            if name in [other.name for other in found]:
                self._problem(file, f"there are two subscriptions {name!r}", *steps)
            if raw["every"] == "week" and "day" not in raw:
                self._problem(file, "a weekly subscription says on which `day`", *steps)
            found.append(
                Subscription(
                    name=name,
                    to=tuple(raw["to"]),
                    every=raw["every"],
                    at=raw.get("at", 8),
                    day=raw.get("day") if raw["every"] in ("week", "month") else None,
                    in_month=raw.get("in_month", "first") if raw["every"] == "month" else None,
                    values={key: value for key, value in values.items() if value is not None},
                    skip_if_empty=raw.get("skip_if_empty", False),
                )
            )
        return tuple(found)

    def _alerts(self, file: YamlFile) -> tuple[Alert, ...]:
        found = []
        for number, raw in enumerate(file.data.get("alerts") or ()):
            if raw["card"] not in self.cards:
                self._problem(file, f"there is no card {raw['card']!r}", "alerts", number, "card")
            found.append(
                Alert(
                    card=raw["card"],
                    to=tuple(raw["to"]),
                    when=raw.get("when", "rows"),
                    every=raw.get("every", "day"),
                    at=raw.get("at", 8),
                    once=raw.get("once", False),
                    source=(file.path, file.line("alerts", number)),
                )
            )
        return tuple(found)

    # --- checks

    def _check_value(
        self, file: YamlFile, kind: str, widget: str | None, value: Choice | None, *steps: str | int
    ) -> None:
        """Whether a value suits a tag of this kind: text, number, date or, by the filter's type, a column."""
        if value is None:
            return
        if kind == FIELD:
            wrong = conditions.problem(widget or "", value)
            if wrong:
                self._problem(file, f"{_shown(value)} {wrong}", *steps)
            return
        for one in value if isinstance(value, tuple) else (value,):
            good = {
                "text": isinstance(one, str),
                "number": isinstance(one, int | float) and not isinstance(one, bool) and math.isfinite(one),
                "date": isinstance(one, str) and _is_date(one),
            }[kind]
            if not good:
                self._problem(file, f"{one!r} is no {kind}", *steps)

    def _check_collections(self, project: YamlFile, files: list[YamlFile], spec: Spec) -> None:
        known = {collection.path for collection in spec.collections}
        seen: set[str] = set()
        for collection in spec.collections:
            if collection.parent and collection.parent not in seen:
                message = f"its parent {collection.parent!r} must stand before it"
                self._problem(project, message, "collections", collection.path)
            seen.add(collection.path)
        for file in [project, *files]:
            for key in ("collection", "cards_in"):
                path = file.data.get(key)
                if path is not None and path not in known:
                    message = f"the collection {path!r} is not in {project.path.name}"
                    self._problem(file, message, key)
        for card in self.cards.values():
            if "collection" in card.raw and card.collection not in known:
                message = f"the collection {card.collection!r} is not in {project.path.name}"
                self._problem(card.file, message, "cards", card.key, "collection")

    def _check_names(self, project: YamlFile, files: list[YamlFile], spec: Spec) -> None:
        """Collection and name are the identity, so two of one name can't be; nor a name that another had."""
        entries: list[tuple[YamlFile, str, str, str, tuple[str, ...], Steps]] = []
        for card in spec.cards.values():
            where: Steps = ("cards", card.key)
            file = self.cards[card.key].file
            entries.append((file, "card", card.collection, card.name, card.previous_names, where))
        for file, dashboard in zip(files, spec.dashboards, strict=True):
            former = dashboard.previous_names
            entries.append((file, "dashboard", dashboard.collection, dashboard.name, former, ("name",)))
        for item in spec.collections:
            where = ("collections", item.path)
            entries.append((project, "collection", item.parent or "", item.name, item.previous_names, where))
        seen: dict[tuple[str, str, str], str] = {}
        names: set[tuple[str, str, str]] = set()
        for file, kind, collection, name, former, steps in entries:
            for title in (name, *former):
                other = seen.setdefault((kind, collection, title), name)
                if other != name or (title in former and title == name):
                    message = f"{title!r} is the name of two {kind}s in {collection!r}"
                    self._problem(file, message, *steps)
            if (kind, collection, name) in names:
                self._problem(file, f"there are two {kind}s {name!r} in {collection!r}", *steps)
            names.add((kind, collection, name))

    def _check_clicks(self, files: list[YamlFile], spec: Spec) -> None:
        by_key = {dashboard.key: dashboard for dashboard in spec.dashboards}
        for file in files:
            for steps, raw in _layout(file.data):
                for click in _clicks(raw.get("click")):
                    target = by_key.get(click.dashboard or file.path.stem)
                    if target is None:
                        message = (
                            f"there is no dashboard {click.dashboard!r}{nearest(click.dashboard, by_key)}"
                        )
                        self._problem(file, message, *steps, "click")
                        continue
                    if (click.dashboard is None) + (click.url is None) == 0:
                        self._problem(file, "goes to a dashboard or to a url, not to both", *steps, "click")
                    if click.dashboard is None and click.url is None and not click.sets:
                        self._problem(
                            file, "does nothing: `set` a filter, or name a `dashboard`", *steps, "click"
                        )
                    if click.tab and click.tab not in [tab.name for tab in target.tabs]:
                        message = f"{target.name!r} has no tab {click.tab!r}"
                        self._problem(file, message, *steps, "click")
                    keys = [item.key for item in target.filters]
                    for key in click.sets:
                        if key not in keys:
                            message = f"{target.name!r} has no filter {key!r}{nearest(key, keys)}"
                            self._problem(file, message, *steps, "click")

    def _problem(self, file: YamlFile, message: str, *steps: str | int) -> None:
        self.problems.append(file.problem(message, *steps))

    def _stop_at_problems(self) -> None:
        if self.problems:
            raise SpecError(self.problems)


def column_key(column: str) -> str:
    """The key of a column in column_settings."""
    return json.dumps(["name", column], ensure_ascii=False, separators=(",", ":"))


def nearest(name: str | None, names: Iterable[str]) -> str:
    """A hint at the one that is meant, to append to a message."""
    found = get_close_matches(name or "", list(names), 1)
    return f"; is it {found[0]!r}?" if found else ""


def _layout(data: Mapping[str, Any]) -> Iterable[tuple[Steps, Mapping[str, Any]]]:
    """Each place of a dashboard's file, with its path in the file."""
    for number, raw in enumerate(data.get("layout") or []):
        yield ("layout", number), raw
    for tab, content in enumerate(data.get("tabs") or []):
        for number, raw in enumerate(content["layout"]):
            yield ("tabs", tab, "layout", number), raw


def _clicks(raw: Mapping[str, Any] | None) -> tuple[Click, ...]:
    if not raw:
        return ()
    by_column = raw["columns"].items() if "columns" in raw else [(None, raw)]
    return tuple(
        Click(column, one.get("dashboard"), one.get("tab"), one.get("url"), one.get("set") or {})
        for column, one in by_column
    )


def _tag_kind(raw: Mapping[str, Any]) -> tuple[str, str | None]:
    """The type of the template tag that a filter fills, and its column."""
    column = raw.get("column")
    return (FIELD, column) if column else (TAG_TYPES.get(raw["type"], "text"), None)


def _column(text: str | None) -> Column | None:
    return Column(*text.split(".")) if text else None


def _choice(raw: Any) -> Choice | None:
    return tuple(raw) if isinstance(raw, list) else raw


def _shown(value: Choice) -> str:
    return repr(list(value)) if isinstance(value, tuple) else repr(value)


def _plain(error: Any) -> str:
    """What jsonschema says, without the whole instance in it."""
    if error.validator in ("additionalProperties", "unevaluatedProperties"):
        known = set(error.schema.get("properties", ()))
        if "$ref" in error.schema:
            known |= set(schema()["$defs"]["known_settings"]["properties"])
        unknown = [key for key in error.instance if key not in known]
        return f"unknown: {', '.join(f'{key!r}{nearest(key, known)}' for key in map(str, unknown))}"
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
