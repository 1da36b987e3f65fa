"""The API's forms of cards and dashboards: what the files ask for, what a server answers, the difference.

A server adds to what it was sent (fresh ``lib/uuid``, empty defaults, `template-tags` as a list since 0.63,
JSON keys in its own spelling), so both are brought to one plain form that holds only what people can set.
"""

import difflib
import hashlib
import json
import re
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from metabase.spec import Card, CardValues, Click, Column, Dashboard, Filter, Item, Tag

_NAMESPACE = uuid.UUID("7d0c6a3e-54ab-5ad2-9a2e-1f1d4c8f3b1a")
"""Of the template tags' ids: the same files make the same ids on every server."""

VIRTUAL_KINDS = ("text", "heading")
_MARK = re.compile(r"\n*Kept in files as (.+)\.$")


def marked(description: str | None, key: str) -> str:
    """A description with the mark of an object that the files describe, whose key it names.

    People see by it where to change what they look at, and an apply what it may change.
    """
    return f"{description}\n\nKept in files as {key}." if description else f"Kept in files as {key}."


def unmarked(description: str | None) -> tuple[str | None, str | None]:
    """A description without the mark, and the key that the mark names; each None where there is none."""
    match = _MARK.search(description or "")
    if not match:
        return description or None, None
    return (description or "")[: match.start()] or None, match[1]


@dataclass(frozen=True)
class Query:
    """A native query as people see it: SQL and template tags by name. `sql` is None for a structured one."""

    database: int | str | None
    sql: str | None
    tags: Mapping[str, Mapping[str, Any]]


# --- cards


def card_form(
    card: Card,
    sql: str,
    database: int | str,
    collection: int | str | None,
    fields: Mapping[Column, int | str],
    known: Query | None,
) -> dict[str, Any]:
    """What the card should be, in plain form. Ids of the template tags that `known` has are kept."""
    tags = {}
    for tag in card.tags:
        before = (known.tags.get(tag.key) if known else None) or {}
        form: dict[str, Any] = {
            "id": before.get("id") or str(uuid.uuid5(_NAMESPACE, f"{card.key}/{tag.key}")),
            "name": tag.key,
            # on a dashboard its filter's name is seen
            "display-name": (before.get("display-name") if tag.of_filter else None) or tag.name,
            "type": tag.type,
        }
        if tag.column:
            form |= {"dimension": fields[tag.column], "widget-type": tag.widget}
        if tag.default is not None:
            # on a dashboard its filter's counts: one changed there is no change of the cards
            kept = before.get("default") if tag.of_filter else None
            form |= {"default": tag.default if kept is None else kept, "required": True}
        tags[tag.key] = form
    return {
        "name": card.name,
        "description": marked(card.description, card.key),
        "display": card.display,
        "type": "question",
        "collection_id": collection,
        "archived": False,
        "visualization_settings": plain_settings(card.settings),
        "dataset_query": {"database": database, "sql": sql, "tags": tags},
    }


def card_answer_form(answer: Mapping[str, Any]) -> dict[str, Any]:
    """What a server says of a card, in plain form."""
    query = read_query(answer.get("dataset_query") or {})
    return {
        "name": answer["name"],
        "description": answer.get("description") or None,
        "display": answer.get("display"),
        "type": answer.get("type") or "question",
        "collection_id": answer.get("collection_id"),
        "archived": bool(answer.get("archived")),
        "visualization_settings": plain_settings(answer.get("visualization_settings") or {}),
        "dataset_query": {"database": query.database, "sql": query.sql, "tags": query.tags},
    }


def card_body(card: Card, form: Mapping[str, Any], keys: Iterable[str]) -> dict[str, Any]:
    """The body of a POST or PUT for these keys of a plain form."""
    body = {key: form[key] for key in keys}
    if "dataset_query" in body:
        query = body["dataset_query"]
        tags = {
            name: {**tag, "dimension": ["field", {}, tag["dimension"]]} if "dimension" in tag else tag
            for name, tag in query["tags"].items()
        }
        body["dataset_query"] = {
            "lib/type": "mbql/query",
            "database": query["database"],
            "stages": [
                # the map is what all versions take
                {"lib/type": "mbql.stage/native", "native": query["sql"], "template-tags": tags}
            ],
        }
    if "visualization_settings" in body:
        body["visualization_settings"] = dict(card.settings)
    return body


def read_query(query: Mapping[str, Any]) -> Query:
    """A card's query in any of the forms that servers store: MBQL 5 (since 0.57) or the older one."""
    stages = query.get("stages")
    if isinstance(stages, list):
        native = stages[0] if len(stages) == 1 else {}
        sql, raw = native.get("native"), native.get("template-tags")
    else:
        native = query.get("native") or {}
        sql, raw = native.get("query"), native.get("template-tags")
    # by name up to 0.62, a list since 0.63
    listed = list(raw.values()) if isinstance(raw, Mapping) else list(raw or [])
    return Query(query.get("database"), sql, {tag["name"]: _plain_tag(tag) for tag in listed})


_TAG_KEYS = ("id", "name", "display-name", "type", "dimension", "widget-type", "default", "required")
"""What a person can set of a template tag: whatever else a server adds or drops is no change."""


def _plain_tag(tag: Mapping[str, Any]) -> dict[str, Any]:
    plain = {key: tag[key] for key in _TAG_KEYS if key in tag and tag[key] not in (None, [], {})}
    if isinstance(plain.get("dimension"), list):
        plain["dimension"] = field_id(plain["dimension"])
    if not plain.get("required"):
        plain.pop("required", None)
    return plain


def field_id(clause: Sequence[Any]) -> Any:
    """The field of a clause: its options' place depends on the version."""
    return next((part for part in clause[1:] if not isinstance(part, Mapping)), None)


def plain_settings(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Settings without empty values; column keys, which are JSON in a string, in one spelling."""
    plain: dict[str, Any] = _without_empty(settings)
    if isinstance(plain.get("column_settings"), dict):
        plain["column_settings"] = {
            _column_key(key): value for key, value in plain["column_settings"].items()
        }
    return plain


def column_name(key: str) -> str | None:
    """The column of a key of column_settings (``["name","Films"]``); None for one by field id."""
    try:
        parts = json.loads(key)
    except ValueError:
        return None
    return parts[1] if isinstance(parts, list) and len(parts) == 2 and parts[0] == "name" else None


# --- dashboards


def parameter_forms(
    dashboard: Dashboard, cards: Mapping[str, int | str], known: Sequence[Mapping[str, Any]]
) -> list[dict[str, Any]]:
    """The filters as the API takes them; the ids of those that the server knows are kept.

    A filter is known by its key, by one that it had before, or else by name and type when neither is taken.
    """
    ids: dict[str, str] = {}
    left = list(known)
    for fits in (_has_key, _had_key, _is_alike):
        for item in dashboard.filters:
            found = next((one for one in left if item.key not in ids and fits(item, one)), None)
            if found is not None:
                left.remove(found)
                ids[item.key] = found["id"]
    for item in dashboard.filters:
        default_id = hashlib.sha256(f"{dashboard.key}/{item.key}".encode()).hexdigest()[:8]
        ids.setdefault(item.key, default_id)
    return [_parameter(item, cards, ids) for item in dashboard.filters]


def _has_key(item: Filter, parameter: Mapping[str, Any]) -> bool:
    return bool(parameter.get("slug") == item.key)


def _had_key(item: Filter, parameter: Mapping[str, Any]) -> bool:
    return parameter.get("slug") in item.previous_keys


def _is_alike(item: Filter, parameter: Mapping[str, Any]) -> bool:
    return (parameter.get("name"), parameter.get("type")) == (item.name, item.type)


def _parameter(item: Filter, cards: Mapping[str, int | str], ids: Mapping[str, str]) -> dict[str, Any]:
    form: dict[str, Any] = {
        "id": ids[item.key],
        "name": item.name,
        "slug": item.key,
        "type": item.type,
        "sectionId": item.type.split("/")[0],
        "isMultiSelect": item.multiple,
    }
    if item.default is not None:
        listed = list(item.default) if isinstance(item.default, tuple) else [item.default]
        form["default"] = listed[0] if item.type.startswith("date/") else listed
    if item.required:
        form["required"] = True
    if item.linked:
        form["filteringParameters"] = [ids[key] for key in item.linked]
    if item.values is not None or item.column:
        form["values_query_type"] = "search" if item.search else "list"
    if isinstance(item.values, CardValues):
        form["values_source_type"] = "card"
        form["values_source_config"] = {
            "card_id": cards[item.values.card],
            "value_field": ["field", item.values.column, {"base-type": "type/Text"}],
        }
    elif item.values is not None:
        form["values_source_type"] = "static-list"
        form["values_source_config"] = {"values": list(item.values)}
    return form


_PARAMETER_KEYS = (
    *("id", "name", "slug", "type", "default", "required", "isMultiSelect", "filteringParameters"),
    *("values_query_type", "values_source_type", "values_source_config"),
)
"""What a person can set of a filter: whatever else a server adds or drops is no change."""


def parameter_answer_form(answer: Mapping[str, Any]) -> dict[str, Any]:
    """A filter in plain form, to compare."""
    form: dict[str, Any] = {
        key: value
        for key, value in _without_empty(answer).items()
        if key in _PARAMETER_KEYS and value is not None
    }
    # a date has no list of values, and no more than one
    form["isMultiSelect"] = answer.get("isMultiSelect", not str(answer.get("type")).startswith("date/"))
    if form.get("required") is False:
        del form["required"]
    config = form.get("values_source_config")
    if isinstance(config, dict) and "value_field" in config:
        # the type in its options is the server's to add
        form["values_source_config"] = {**config, "value_field": field_id(config["value_field"])}
    if form.get("values_query_type") == "list" and "values_source_type" not in form:
        del form["values_query_type"]  # the default
    return form


@dataclass(frozen=True)
class Target:
    """A dashboard that clicks go to: its id, its filters' by key, its tabs' by name."""

    id: int | str
    parameters: Mapping[str, str]
    tabs: Mapping[str, int | str]


def dashcard_settings(item: Item, own: Target, targets: Mapping[str, Target]) -> dict[str, Any]:
    """The settings of a place: its own, the title and the clicks for a card, the content for a text.

    `own` is the dashboard that it is on, `targets` are all by key.
    """
    if item.card:
        settings = {**item.settings, **({"card.title": item.title} if item.title else {})}
        for click in item.clicks:
            behaviour = _click_behaviour(click, own, targets)
            if click.column is None:
                settings["click_behavior"] = behaviour
            else:
                key = _column_key(json.dumps(["name", click.column]))
                columns = dict(settings.get("column_settings") or {})
                columns[key] = {**columns.get(key, {}), "click_behavior": behaviour}
                settings["column_settings"] = columns
        return settings
    if item.virtual is not None:
        return {**item.virtual}
    kind, content = ("text", item.text) if item.text is not None else ("heading", item.heading)
    virtual: dict[str, Any] = {
        "name": None,
        "display": kind,
        "visualization_settings": {},
        "dataset_query": {},
        "archived": False,
    }
    return {**item.settings, "virtual_card": virtual, "text": content}


def _click_behaviour(click: Click, own: Target, targets: Mapping[str, Target]) -> dict[str, Any]:
    if click.url is not None:
        return {"type": "link", "linkType": "url", "linkTemplate": click.url}
    target = own if click.dashboard is None else targets[click.dashboard]
    mapping = {}
    for key, column in click.sets.items():
        id_ = target.parameters[key]
        mapping[id_] = {
            "id": id_,
            "source": {"type": "column", "id": column, "name": column},
            "target": {"type": "parameter", "id": id_},
        }
    if click.dashboard is None:
        return {"type": "crossfilter", "parameterMapping": mapping}
    behaviour: dict[str, Any] = {"type": "link", "linkType": "dashboard", "targetId": target.id}
    if mapping:
        behaviour["parameterMapping"] = mapping
    if click.tab and click.tab in target.tabs:
        # a tab that is still to be made has no id yet
        behaviour["tabId"] = target.tabs[click.tab]
    return behaviour


def mappings(
    item: Item, tags: Mapping[str, Tag], card: int | str, parameters: Mapping[str, str]
) -> list[dict[str, Any]]:
    """What the filters fill in this place; `tags` are the card's, `parameters` the filters' ids by key."""
    return [
        {
            "parameter_id": parameters[key],
            "card_id": card,
            "target": ["dimension" if tags[tag].column else "variable", ["template-tag", tag]],
        }
        for key, tag in item.filters.items()
    ]


def dashcard_form(dashcard: Mapping[str, Any], tab: str | None) -> dict[str, Any]:
    """A place in plain form, to compare; the tab by name."""
    return {
        "tab": tab,
        "row": dashcard["row"],
        "col": dashcard["col"],
        "width": dashcard["size_x"],
        "height": dashcard["size_y"],
        "card": dashcard.get("card_id"),
        "filters": sorted(
            json.dumps([entry["parameter_id"], _target(entry["target"])])
            for entry in dashcard.get("parameter_mappings") or ()
        ),
        "settings": _plain_place(dashcard.get("visualization_settings") or {}),
        "series": [card["id"] for card in dashcard.get("series") or ()],
        "inline_parameters": list(dashcard.get("inline_parameters") or ()),
    }


def _plain_place(settings: Mapping[str, Any]) -> dict[str, Any]:
    """The settings of a place; the card that Metabase puts around a text or heading says nothing."""
    plain = plain_settings(settings)
    kind = virtual_kind({"visualization_settings": settings})
    return {**plain, "virtual_card": kind} if kind in VIRTUAL_KINDS else plain


def virtual_kind(dashcard: Mapping[str, Any]) -> str | None:
    """text, heading, link, … of a place without a card."""
    virtual = (dashcard.get("visualization_settings") or {}).get("virtual_card")
    return virtual.get("display") if isinstance(virtual, Mapping) else None


def _target(target: Any) -> Any:
    """``["variable", ["template-tag", x]]``; some versions add options behind."""
    is_tag = isinstance(target, list) and len(target) > 1 and _is_tag(target[1])
    return target[:2] if is_tag else target


def _is_tag(part: Any) -> bool:
    return isinstance(part, list) and bool(part) and part[0] == "template-tag"


# --- comparing


def changed_keys(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    """The keys of `after` whose value differs."""
    return [key for key, value in after.items() if before.get(key) != value]


def diff(before: Any, after: Any, label: str) -> list[str]:
    """What changes, for people: one line a value, a unified diff for longer text."""
    if before == after:
        return []
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        lines: list[str] = []
        for key in [*before, *(key for key in after if key not in before)]:
            lines += diff(before.get(key), after.get(key), f"{label}.{key}" if label else str(key))
        return lines
    if isinstance(before, str) and isinstance(after, str) and ("\n" in before or "\n" in after):
        changes = difflib.unified_diff(before.split("\n"), after.split("\n"), lineterm="", n=0)
        return [f"{label}:", *(f"  {line}" for line in list(changes)[2:] if not line.startswith("@@"))]
    return [f"{label}: {shown(before)} → {shown(after)}"]


def shown(value: Any) -> str:
    """A value on one line, cut where it is long."""
    if value is None:
        return "(none)"
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 120 else text[:117] + "…"


def _column_key(key: str) -> str:
    try:
        return json.dumps(json.loads(key), ensure_ascii=False, separators=(",", ":"))
    except ValueError:
        return key


def _without_empty(value: Any) -> Any:
    if isinstance(value, Mapping):
        plain = {key: _without_empty(inner) for key, inner in value.items()}
        return {
            key: inner for key, inner in plain.items() if inner is not None and inner != {} and inner != []
        }
    if isinstance(value, list):
        return [_without_empty(inner) for inner in value]
    return value
