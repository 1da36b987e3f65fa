"""What a Metabase has, read once: the managed collections with cards and dashboards, and the database."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from metabase.client import Client
from metabase.errors import DashboardError
from metabase.spec import Spec

CARD_MODELS = ("card", "dataset", "metric")
"""A question, a model and a metric are all cards."""


@dataclass
class State:
    """Objects by what the files call them; what else is in the managed collections is in `others`."""

    database: Mapping[str, Any] | None = None
    collections: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    cards: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    dashboards: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    others: list["Other"] = field(default_factory=list)


@dataclass(frozen=True)
class Other:
    """What is in the managed collections and in no file. `model` is card, dashboard or collection."""

    model: str
    id: int
    path: str


def read(client: Client, spec: Spec) -> State:
    """Read what the files are about. Raises `DashboardError` where two things have the one name."""
    state = State(database=_database(client, spec.database))
    every = [
        raw
        for raw in client.request(
            "GET", "/api/collection", params={"archived": "false", "exclude-other-user-collections": "true"}
        )
        if isinstance(raw["id"], int)
        and not raw.get("personal_owner_id")
        and not raw.get("archived")
        # the Trash is a collection too
        and raw.get("type") != "trash"
    ]
    for item in spec.collections:
        parent = state.collections.get(item.parent) if item.parent else None
        if item.parent and parent is None:
            continue  # not there, so nothing is in it
        within = parent["id"] if parent else None
        found = _match(
            "collection",
            item.path,
            (item.name, *item.previous_names),
            [(raw["name"], raw) for raw in every if _parent(raw) == within],
        )
        if found:
            state.collections[item.path] = found

    root = state.collections.get(spec.root)
    if root is None:
        return state
    managed = {root["id"]: spec.root}
    paths = {raw["id"]: path for path, raw in state.collections.items()}
    for raw in sorted(every, key=lambda raw: len(raw.get("location") or "/")):
        parent_id = _parent(raw)
        if parent_id in managed and raw["id"] not in managed:
            managed[raw["id"]] = paths.get(raw["id"], f"{managed[parent_id]}/{raw['name']}")
            if raw["id"] not in paths:
                state.others.append(Other("collection", raw["id"], managed[raw["id"]]))

    contents: dict[tuple[str, int], list[tuple[str, Any]]] = {}
    for collection in managed:
        models = [*CARD_MODELS, "dashboard"]
        for entry in client.pages(f"/api/collection/{collection}/items", {"models": models}):
            model = "card" if entry["model"] in CARD_MODELS else entry["model"]
            contents.setdefault((model, collection), []).append((entry["name"], entry["id"]))
    kept: set[tuple[str, int]] = set()
    for card in spec.cards.values():
        path = card.collection
        if path in state.collections:
            entries = contents.get(("card", state.collections[path]["id"]), [])
            found = _match("card", f"{path}/{card.name}", (card.name, *card.previous_names), entries)
            if found is not None:
                kept.add(("card", found))
                state.cards[card.key] = client.request("GET", f"/api/card/{found}")
    for dashboard in spec.dashboards:
        path = dashboard.collection
        if path in state.collections:
            entries = contents.get(("dashboard", state.collections[path]["id"]), [])
            names = (dashboard.name, *dashboard.previous_names)
            found = _match("dashboard", f"{path}/{dashboard.name}", names, entries)
            if found is not None:
                kept.add(("dashboard", found))
                state.dashboards[dashboard.key] = client.request("GET", f"/api/dashboard/{found}")
    for (model, collection), entries in contents.items():
        for name, number in entries:
            if (model, number) not in kept:
                state.others.append(Other(model, number, f"{managed[collection]}/{name}"))
    return state


def _database(client: Client, name: str) -> Mapping[str, Any] | None:
    """The connection of this name; None without one. Raises `DashboardError` when there are two."""
    entries = [(raw["name"], raw) for raw in client.request("GET", "/api/database")["data"]]
    found: Mapping[str, Any] | None = _match("database", name, (name,), entries)
    return found


def _match(kind: str, label: str, names: Iterable[str], entries: Iterable[tuple[str, Any]]) -> Any:
    """The one entry of the first of the names that there is one of; else None."""
    listed = list(entries)
    for name in names:
        found = [entry for title, entry in listed if title == name]
        if len(found) > 1:
            ids = ", ".join(str(entry["id"] if isinstance(entry, Mapping) else entry) for entry in found)
            raise DashboardError(
                f"Metabase has {len(found)} {kind}s named {name!r} where {label!r} should be (ids {ids}), and"
                " which is meant can't be told: rename or archive all but one there. Nothing was changed"
            )
        if found:
            return found[0]
    return None


def _parent(raw: Mapping[str, Any]) -> int | None:
    """The id of the collection that a collection is in, from its location (``/1/2/``)."""
    steps = [step for step in str(raw.get("location") or "/").split("/") if step]
    return int(steps[-1]) if steps else None
