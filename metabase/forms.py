"""The API's forms of cards and dashboards: what the files ask for, what a server answers, the difference.

A server adds to what it was sent (fresh ``lib/uuid``, empty defaults, `template-tags` as a list since 0.63,
JSON keys in its own spelling), so both are brought to one plain form that holds only what people can set.
"""

import difflib
import hashlib
import json
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from metabase.spec import Card, CardValues, Dashboard, Filter, Item

_SECTIONS = {"string/=": "string", "number/=": "number", "date/single": "date"}
_NAMESPACE = uuid.UUID("7d0c6a3e-54ab-5ad2-9a2e-1f1d4c8f3b1a")
"""Of the template tags' ids: the same files make the same ids on every server."""

VIRTUAL_KINDS = ("text", "heading")


@dataclass(frozen=True)
class Query:
    """A native query as people see it: SQL and template tags by name. `sql` is None for a structured one."""

    database: int | str | None
    sql: str | None
    tags: Mapping[str, Mapping[str, Any]]


# --- cards


def card_form(
    card: Card, sql: str, database: int | str, collection: int | str, known: Query | None
) -> dict[str, Any]:
    """What the card should be, in plain form. Ids of the template tags that `known` has are kept."""
    tags = {}
    for tag in card.tags:
        before = (known.tags.get(tag.key) if known else None) or {}
        form: dict[str, Any] = {
            "id": before.get("id") or str(uuid.uuid5(_NAMESPACE, f"{card.key}/{tag.key}")),
            "name": tag.key,
            "display-name": tag.name,
            "type": tag.type,
        }
        if tag.default is not None:
            form |= {"default": tag.default, "required": True}
        tags[tag.key] = form
    return {
        "name": card.name,
        "description": card.description,
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
        body["dataset_query"] = {
            "lib/type": "mbql/query",
            "database": query["database"],
            "stages": [
                # the map is what all versions take
                {"lib/type": "mbql.stage/native", "native": query["sql"], "template-tags": query["tags"]}
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
    return Query(query.get("database"), sql, {tag["name"]: _without_empty(tag) for tag in listed})


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
    """The filters, in plain form; the ids of those that the server knows by slug are kept."""
    ids = {parameter.get("slug"): parameter["id"] for parameter in known}
    return [_parameter(dashboard, item, cards, ids.get(item.key)) for item in dashboard.filters]


def _parameter(
    dashboard: Dashboard, item: Filter, cards: Mapping[str, int | str], known: str | None
) -> dict[str, Any]:
    form: dict[str, Any] = {
        "id": known or hashlib.sha256(f"{dashboard.key}/{item.key}".encode()).hexdigest()[:8],
        "name": item.name,
        "slug": item.key,
        "type": item.type,
        "sectionId": _SECTIONS[item.type],
        # a variable takes one value
        "isMultiSelect": False,
    }
    if item.default is not None:
        form["default"] = item.default if item.type == "date/single" else [item.default]
    if item.required:
        form["required"] = True
    if item.values is not None:
        form["values_query_type"] = "search" if item.search else "list"
        if isinstance(item.values, CardValues):
            form["values_source_type"] = "card"
            form["values_source_config"] = {
                "card_id": cards[item.values.card],
                "value_field": ["field", item.values.column, {"base-type": "type/Text"}],
            }
        else:
            form["values_source_type"] = "static-list"
            form["values_source_config"] = {"values": list(item.values)}
    return form


def parameter_answer_form(answer: Mapping[str, Any]) -> dict[str, Any]:
    """A filter in plain form, to compare."""
    form: dict[str, Any] = _without_empty(answer)
    form["isMultiSelect"] = answer.get("isMultiSelect", True)
    if form.get("required") is False:
        del form["required"]
    config = form.get("values_source_config")
    if isinstance(config, dict) and "value_field" in config:
        # the type in its options is the server's to add, and the options' place depends on the version
        field = next((part for part in config["value_field"][1:] if not isinstance(part, dict)), None)
        form["values_source_config"] = {**config, "value_field": field}
    if form.get("values_query_type") == "list" and "values_source_type" not in form:
        del form["values_query_type"]  # the default
    return form


def dashcard_settings(item: Item) -> dict[str, Any]:
    """The settings of a place: its own and the title for a card, the content for a text."""
    if item.card:
        return {**item.settings, **({"card.title": item.title} if item.title else {})}
    kind, content = ("text", item.text) if item.text is not None else ("heading", item.heading)
    virtual: dict[str, Any] = {
        "name": None,
        "display": kind,
        "visualization_settings": {},
        "dataset_query": {},
        "archived": False,
    }
    return {**item.settings, "virtual_card": virtual, "text": content}


def mappings(item: Item, card: int | str, parameters: Mapping[str, str]) -> list[dict[str, Any]]:
    """What the filters fill in this place; `parameters` has the filters' ids by key."""
    return [
        {
            "parameter_id": parameters[key],
            "card_id": card,
            "target": ["variable", ["template-tag", tag]],
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
        "settings": plain_settings(dashcard.get("visualization_settings") or {}),
        "series": [card["id"] for card in dashcard.get("series") or ()],
        "inline_parameters": list(dashcard.get("inline_parameters") or ()),
    }


def virtual_kind(dashcard: Mapping[str, Any]) -> str | None:
    """text, heading, link, … of a place without a card."""
    virtual = (dashcard.get("visualization_settings") or {}).get("virtual_card")
    return virtual.get("display") if isinstance(virtual, Mapping) else None


def _target(target: Any) -> Any:
    """``["variable", ["template-tag", x]]``; some versions add options behind."""
    return target[:2] if isinstance(target, list) and target and target[0] == "variable" else target


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
