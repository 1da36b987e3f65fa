"""`load()` reads `metabase.yml`, `dashboards/*.yml` and the cards' SQL into the objects of `spec`.

Checked here, each problem with file and line: the JSON Schema, names that must be unique, the 24-column grid,
that every filter reaches a card and every template tag gets its value. Against the models checks `analysis`.
"""

import datetime as dt
import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import best_match
from referencing import Registry, Resource

from metabase import template
from metabase.errors import Problem, SpecError
from metabase.spec import (
    COLUMNS,
    TAG_TYPES,
    Card,
    CardValues,
    Collection,
    Dashboard,
    Filter,
    Item,
    Offer,
    Place,
    Spec,
    Tab,
    Tag,
)
from metabase.template import Template, Value
from metabase.yamlfile import YamlFile

HERE = Path(__file__).resolve().parent


def load(folder: Path = HERE) -> Spec:
    """Read and check everything in a folder. Raises `SpecError` with every problem found."""
    return _Loader(folder).load()


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
        files = self._in_order(project, files)

        cards: dict[str, _RawCard] = {}
        for file in [project, *files]:
            collection = file.data.get("cards_in") or file.data.get("collection") or file.data["root"]
            for key, raw in (file.data.get("cards") or {}).items():
                if key in cards:
                    self._problem(
                        file, f"there is a card {key!r} in {cards[key].file.path.name} too", "cards", key
                    )
                cards[key] = _RawCard(key, file, collection, raw)
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
            cards={key: self._card(card, tag_filters.get(key, {})) for key, card in cards.items()},
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

    def _read(self, path: Path, schema: str) -> YamlFile:
        file = YamlFile(path)
        self.problems += file.repeated_keys()
        for error in self.validators[schema].iter_errors(file.data):
            # of the alternatives of a `oneOf`, what is wrong with the nearest
            nearest = best_match([error]) or error
            steps = list(nearest.absolute_path)
            where = "/".join(str(step) for step in steps)
            self._problem(file, f"{where or 'the file'}: {_plain(nearest)}", *steps)
        return file

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

    def _tag_filters(
        self, files: list[YamlFile], cards: Mapping[str, _RawCard]
    ) -> dict[str, dict[str, Mapping[str, Any]]]:
        """By card key and tag, the filter that defines the tag's type; checks the mapping on the way."""
        found: dict[str, dict[str, Mapping[str, Any]]] = {}
        templates = {key: self._template(card) for key, card in cards.items()}
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
            own = cards[key].raw.get("tags") or {}
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
                    self._problem(cards[key].file, f"the SQL has no {{{{{tag}}}}}", "cards", key, "tags", tag)
        return found

    def _mapping(
        self,
        file: YamlFile,
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

    def _card(self, card: _RawCard, filters: Mapping[str, Mapping[str, Any]]) -> Card:
        key, file, raw = card.key, card.file, card.raw
        sql = self.templates[self.folder / "cards" / card.sql]
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
            collection=card.collection,
            description=raw.get("description"),
            display=raw["display"],
            settings=settings,
            sql=sql,
            tags=tuple(tags),
            previous_names=tuple(raw.get("previous_names", ())),
            source=(file.path, file.line("cards", key)),
        )

    def _dashboard(self, file: YamlFile, cards: Mapping[str, _RawCard]) -> Dashboard:
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
                    sql = self.templates[self.folder / "cards" / cards[raw["card"]].sql]
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
        self, file: YamlFile, slug: str, raw: Mapping[str, Any], required: bool, cards: Mapping[str, _RawCard]
    ) -> Filter:
        values = raw.get("values")
        if isinstance(values, dict):
            values = self._card_values(file, values, cards, "filters", slug, "values")
        self._check_value(file, TAG_TYPES[raw["type"]], raw.get("default"), "filters", slug, "default")
        return Filter(
            key=slug,
            name=raw["name"],
            type=raw["type"],
            default=raw.get("default"),
            values=tuple(values) if isinstance(values, list) else values,
            search=raw.get("search", False),
            required=required,
            preview=self._offer(file, slug, raw, cards),
        )

    def _offer(
        self, file: YamlFile, slug: str, raw: Mapping[str, Any], cards: Mapping[str, _RawCard]
    ) -> Offer:
        data = raw.get("preview") or {}
        steps = ("filters", slug, "preview")
        for value in data.get("values", ()):
            self._check_value(file, TAG_TYPES[raw["type"]], value, *steps, "values")
        for other in data.get("together", ()):
            if other not in file.data["filters"]:
                self._problem(file, f"there is no filter {other!r}", *steps, "together")
        order = data.get("order")
        return Offer(
            values=tuple(data.get("values", ())),
            most=data.get("most"),
            order=self._card_values(file, order, cards, *steps, "order") if order else None,
            together=tuple(data.get("together", ())),
        )

    def _card_values(
        self, file: YamlFile, raw: Mapping[str, Any], cards: Mapping[str, _RawCard], *steps: str | int
    ) -> CardValues:
        if raw["card"] not in cards:
            self._problem(file, f"there is no card {raw['card']!r}", *steps)
        return CardValues(raw["card"], raw["column"])

    # --- checks

    def _check_value(self, file: YamlFile, kind: str, value: Value | None, *steps: str | int) -> None:
        if value is None:
            return
        good = {
            "text": isinstance(value, str),
            "number": isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value),
            "date": isinstance(value, str) and _is_date(value),
        }[kind]
        if not good:
            self._problem(file, f"{value!r} is no {kind}", *steps)

    def _check_collections(self, project: YamlFile, files: list[YamlFile], spec: Spec) -> None:
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
        self, project: YamlFile, files: list[YamlFile], spec: Spec, cards: Mapping[str, _RawCard]
    ) -> None:
        """Collection and name are the identity, so two of one name can't be; nor a name that another had."""
        seen: dict[tuple[str, str, str], str] = {}
        entries: list[tuple[YamlFile, str, str, str, tuple[str, ...], tuple[str | int, ...]]] = [
            (
                cards[card.key].file,
                "card",
                card.collection,
                card.name,
                card.previous_names,
                ("cards", card.key),
            )
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

    def _problem(self, file: YamlFile, message: str, *steps: str | int) -> None:
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
