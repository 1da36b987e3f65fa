"""A dashboard that someone clicked together, as files: `metabase/dashboards/<key>.yml` and its cards' SQL.

SQL questions come over whole. A question made in the query builder has no SQL of its own: Metabase is asked
for what it would run. What these files can't hold is told, not dropped in silence.
"""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from metabase import forms
from metabase.client import Client
from metabase.errors import DashboardError, UsageError, shown
from metabase.manifest import Manifest
from metabase.spec import TAG_TYPES

_CARD_KEYS = ("text", "number", "date")


@dataclass
class Exported:
    """Files by path, and what could not be brought over."""

    files: dict[Path, str] = field(default_factory=dict)
    left_out: list[str] = field(default_factory=list)


def export(
    client: Client, manifest: Manifest, wanted: str, folder: Path, taken: Mapping[str, Any]
) -> Exported:
    """The files of one dashboard, by id or by path (``TMDB/My films``), to be put into `folder`.

    `taken` are the keys of the cards that exist, which new ones avoid. Raises `UsageError` when there is no
    such dashboard, or more than one.
    """
    collections = _collections(client)
    dashboard = client.request("GET", f"/api/dashboard/{_find(client, collections, wanted)}")
    result = Exported()
    where = collections.get(dashboard.get("collection_id"), "")
    key = _key(dashboard["name"], ())
    relations = {model.relation: name for name, model in manifest.models.items()}

    parameters = list(dashboard.get("parameters") or [])
    cards: dict[int, str] = {}
    bodies: dict[str, Any] = {}
    sources: dict[int, Mapping[str, Any]] = {}
    dashcards = sorted(
        dashboard.get("dashcards") or [],
        key=lambda d: (d.get("dashboard_tab_id") or 0, d["row"], d["col"]),
    )
    for dashcard in dashcards:
        number = dashcard.get("card_id")
        if number is None or number in cards:
            continue
        card = client.request("GET", f"/api/card/{number}")
        sources[number] = card
        name = _key(card["name"], {*taken, *cards.values()})
        cards[number] = name
        bodies[name], sql = _card(client, card, relations, parameters, dashcards, result)
        result.files[folder / "cards" / f"{name}.sql"] = sql

    tabs = [(tab["id"], tab["name"]) for tab in dashboard.get("tabs") or []]
    layouts = {
        tab: [
            item
            for dashcard in dashcards
            if (dashcard.get("dashboard_tab_id") or None) == tab
            for item in _item(dashcard, cards, parameters, result)
        ]
        for tab in ([id_ for id_, _ in tabs] or [None])
    }
    content: dict[str, Any] = {
        "name": dashboard["name"],
        "collection": where or "TMDB",
        "description": dashboard.get("description") or f"{dashboard['name']}: say here for whom it is.",
    }
    if dashboard.get("width") == "full":
        content["width"] = "full"
    filters = {_slug(p): _filter(p, result) for p in parameters if p["type"] in TAG_TYPES}
    for parameter in parameters:
        if parameter["type"] not in TAG_TYPES:
            result.left_out.append(
                f"the filter {parameter['name']!r}: its type {parameter['type']} is not known here"
            )
    if filters:
        content["filters"] = filters
    content["cards"] = bodies
    if tabs:
        content["tabs"] = [{"name": name, "layout": layouts[id_]} for id_, name in tabs]
    else:
        content["layout"] = layouts[None]
    head = "# yaml-language-server: $schema=../schema.json\n"
    dumped = yaml.dump(content, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=110)
    result.files[folder / "dashboards" / f"{key}.yml"] = head + dumped
    return result


def write(result: Exported, force: bool) -> list[str]:
    """Write the files; their names. Raises `UsageError` when one is there already, unless `force`."""
    there = [shown(path) for path in result.files if path.exists()]
    if there and not force:
        raise UsageError(f"these files are there already: {', '.join(there)}. --force writes over them")
    for path, text in result.files.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return [shown(path) for path in result.files]


def _collections(client: Client) -> dict[int | None, str]:
    """Paths by id."""
    raws = {
        raw["id"]: raw
        for raw in client.request("GET", "/api/collection", params={"archived": "false"})
        if isinstance(raw["id"], int)
    }
    paths: dict[int | None, str] = {None: ""}
    for id_, raw in raws.items():
        steps = [int(step) for step in str(raw.get("location") or "/").split("/") if step]
        paths[id_] = "/".join([raws[step]["name"] for step in steps if step in raws] + [raw["name"]])
    return paths


def _find(client: Client, collections: Mapping[int | None, str], wanted: str) -> int:
    if wanted.isdigit():
        return int(wanted)
    where, _, name = wanted.rpartition("/")
    found = [
        entry["id"]
        for id_, path in collections.items()
        if path == where
        for entry in client.pages(f"/api/collection/{id_ or 'root'}/items", {"models": ["dashboard"]})
        if entry["name"] == name
    ]
    if len(found) != 1:
        raise UsageError(
            f"Metabase has {len(found) or 'no'} dashboard{'s' if len(found) > 1 else ''} {wanted!r}"
            f"{' (ids ' + ', '.join(map(str, found)) + ')' if found else ''}:"
            " name it by collection and name (TMDB/My films), or by the number in its address"
        )
    return int(found[0])


def _card(
    client: Client,
    card: Mapping[str, Any],
    relations: Mapping[str, str],
    parameters: Sequence[Mapping[str, Any]],
    dashcards: Sequence[Mapping[str, Any]],
    result: Exported,
) -> tuple[dict[str, Any], str]:
    query = forms.read_query(card.get("dataset_query") or {})
    sql = query.sql
    if sql is None:
        answer = client.request("POST", "/api/dataset/native", json=card["dataset_query"], reads=True)
        sql = answer.get("query")
        if not isinstance(sql, str):
            raise DashboardError(f"Metabase gives no SQL for the question {card['name']!r}")
        result.left_out.append(
            f"the question {card['name']!r} was built without SQL: its filters are not in it"
        )
    for relation, name in relations.items():
        schema, table = relation.split(".")
        pattern = rf'(?<![\w."])"?{re.escape(schema)}"?\."?{re.escape(table)}"?(?![\w"])'
        sql = re.sub(pattern, f"{{{{ ref('{name}') }}}}", sql)
    body: dict[str, Any] = {"name": card["name"]}
    if card.get("description"):
        body["description"] = card["description"]
    body["display"] = card["display"]
    settings = forms.plain_settings(card.get("visualization_settings") or {})
    columns = {
        forms.column_name(key): value for key, value in (settings.get("column_settings") or {}).items()
    }
    if columns and None not in columns:
        del settings["column_settings"]
        body["columns"] = columns
    if settings:
        body["settings"] = settings
    filled = {
        entry["target"][1][1]
        for dashcard in dashcards
        if dashcard.get("card_id") == card["id"]
        for entry in dashcard.get("parameter_mappings") or ()
        if _is_variable(entry["target"]) and _of(parameters, entry["parameter_id"])
    }
    tags = {}
    for name, tag in query.tags.items():
        if tag["type"] not in _CARD_KEYS:
            result.left_out.append(
                f"{{{{{name}}}}} of {card['name']!r}: a tag of type {tag['type']} is not known here"
            )
        elif name not in filled:
            tags[name] = {"type": tag["type"], "name": tag.get("display-name") or name}
            if tag.get("default") is not None:
                tags[name]["default"] = tag["default"]
    if tags:
        body["tags"] = tags
    return body, sql.rstrip() + "\n"


def _item(
    dashcard: Mapping[str, Any],
    cards: Mapping[int, str],
    parameters: Sequence[Mapping[str, Any]],
    result: Exported,
) -> list[dict[str, Any]]:
    place = {
        "row": dashcard["row"],
        "col": dashcard["col"],
        "width": dashcard["size_x"],
        "height": dashcard["size_y"],
    }
    settings = dict(dashcard.get("visualization_settings") or {})
    if dashcard.get("card_id") is None:
        kind = forms.virtual_kind(dashcard)
        if kind not in forms.VIRTUAL_KINDS:
            result.left_out.append(
                f"a {kind or 'nameless'} place at row {place['row']}: only text and headings"
            )
            return []
        settings.pop("virtual_card")
        item: dict[str, Any] = {str(kind): settings.pop("text", "")}
    else:
        item = {"card": cards[dashcard["card_id"]]}
        if settings.get("card.title"):
            item["title"] = settings.pop("card.title")
        if dashcard.get("series"):
            result.left_out.append(f"the series combined into {item['card']!r}")
    item["at"] = place
    if settings:
        item["settings"] = settings
    renamed = {}
    for entry in dashcard.get("parameter_mappings") or ():
        parameter = _of(parameters, entry["parameter_id"])
        if parameter is None:
            continue
        if not _is_variable(entry["target"]):
            result.left_out.append(
                f"the filter {parameter['name']!r} on {item.get('card')!r}: only filters of SQL variables"
            )
        elif entry["target"][1][1] != _slug(parameter):
            renamed[_slug(parameter)] = entry["target"][1][1]
    if renamed:
        item["filters"] = renamed
    return [item]


def _filter(parameter: Mapping[str, Any], result: Exported) -> dict[str, Any]:
    content: dict[str, Any] = {"name": parameter["name"], "type": parameter["type"]}
    default = parameter.get("default")
    if isinstance(default, list):
        if len(default) > 1:
            result.left_out.append(f"the further defaults of the filter {parameter['name']!r}")
        default = default[0] if default else None
    if default is not None:
        content["default"] = default
    config = parameter.get("values_source_config") or {}
    if parameter.get("values_source_type") == "static-list":
        content["values"] = [
            value[0] if isinstance(value, list) else value for value in config.get("values", [])
        ]
    elif parameter.get("values_source_type") == "card":
        result.left_out.append(
            f"the values of the filter {parameter['name']!r}, from card {config.get('card_id')}:"
            " name one of the files' cards"
        )
    if parameter.get("values_query_type") == "search":
        content["search"] = True
    return content


def _of(parameters: Sequence[Mapping[str, Any]], id_: str) -> Mapping[str, Any] | None:
    return next((p for p in parameters if p["id"] == id_ and p["type"] in TAG_TYPES), None)


def _is_variable(target: Any) -> bool:
    return isinstance(target, list) and len(target) > 1 and target[0] == "variable"


def _slug(parameter: Mapping[str, Any]) -> str:
    return _key(parameter.get("slug") or parameter["name"], ())


def _key(name: str, taken: Any) -> str:
    """A file's and key's name for a title: lower case, ASCII, unique."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    key = re.sub(r"[^a-z0-9]+", "_", plain).strip("_")
    if not key or not key[0].isalpha():
        key = f"card_{key}".rstrip("_")
    unique, number = key, 2
    while unique in taken:
        unique, number = f"{key}_{number}", number + 1
    return unique


class _Dumper(yaml.SafeDumper):
    """Places on one line, as people write them."""

    def represent_mapping(self, tag: Any, mapping: Any, flow_style: Any = None) -> Any:
        if isinstance(mapping, dict) and set(mapping) == {"row", "col", "width", "height"}:
            flow_style = True
        return super().represent_mapping(tag, mapping, flow_style)

    def ignore_aliases(self, data: Any) -> bool:
        return True
