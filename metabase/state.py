"""What a Metabase has, read once: the managed collections with cards and dashboards, and the database."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from metabase import forms
from metabase.client import Client
from metabase.errors import DashboardError
from metabase.spec import Collection, Spec

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


@dataclass(frozen=True)
class _Entry:
    """A card or dashboard in a collection; `mark` is the key that its description names."""

    model: str
    id: int
    name: str
    collection: int
    mark: str | None


def read(client: Client, spec: Spec) -> State:
    """Read what the files are about. Raises `DashboardError` where two things have the one name."""
    state = State(database=find_database(client, spec.database))
    every = collections(client)
    for item in spec.collections:
        parent = state.collections.get(item.parent) if item.parent else None
        if item.parent and parent is None:
            continue  # not there, so nothing is in it
        found = _collection(item, parent["id"] if parent else None, every)
        if found:
            state.collections[item.path] = found

    managed = {raw["id"]: path for path, raw in state.collections.items()}
    for raw in sorted(every, key=lambda raw: len(raw.get("location") or "/")):
        parent_id = parent_of(raw)
        if parent_id in managed and raw["id"] not in managed:
            managed[raw["id"]] = f"{managed[parent_id]}/{raw['name']}"
            state.others.append(Other("collection", raw["id"], managed[raw["id"]]))

    entries: list[_Entry] = []
    for collection in managed:
        for raw in items(client, collection):
            model = "card" if raw["model"] in CARD_MODELS else raw["model"]
            mark = forms.unmarked(raw.get("description"))[1]
            entries.append(_Entry(model, raw["id"], raw["name"], collection, mark))
    kept: set[tuple[str, int]] = set()
    for model, things, into in (
        ("card", list(spec.cards.values()), state.cards),
        ("dashboard", list(spec.dashboards), state.dashboards),
    ):
        of_model = [entry for entry in entries if entry.model == model]
        for thing in things:
            where = state.collections.get(thing.collection)
            names = (thing.name, *thing.previous_names)
            inside = [entry for entry in of_model if where and entry.collection == where["id"]]
            label = f"{thing.collection}/{thing.name}"
            id_ = match(model, label, names, [(entry.name, entry.id) for entry in inside])
            if id_ is None:
                # renamed or moved there by hand
                marked = [
                    (entry.mark or "", entry.id) for entry in of_model if ("card", entry.id) not in kept
                ]
                id_ = match(model, label, (thing.key,), marked)
            if id_ is not None:
                kept.add((model, id_))
                into[thing.key] = client.request("GET", f"/api/{model}/{id_}")
    for entry in entries:
        if (entry.model, entry.id) not in kept:
            state.others.append(Other(entry.model, entry.id, f"{managed[entry.collection]}/{entry.name}"))
    return state


def collections(client: Client) -> list[Mapping[str, Any]]:
    """The collections that are no person's own and not in the Trash, which is one, too."""
    params = {"archived": "false", "exclude-other-user-collections": "true"}
    return [
        raw
        for raw in client.request("GET", "/api/collection", params=params)
        if isinstance(raw["id"], int)
        and not raw.get("personal_owner_id")
        and not raw.get("archived")
        and raw.get("type") != "trash"
    ]


def items(client: Client, collection: int | str) -> Iterator[Mapping[str, Any]]:
    """The cards and dashboards in a collection, those that people saved in a dashboard included."""
    params = {"models": [*CARD_MODELS, "dashboard"], "show_dashboard_questions": "true"}
    yield from client.pages(f"/api/collection/{collection}/items", params)


def parent_of(raw: Mapping[str, Any]) -> int | None:
    """The id of the collection that a collection is in, from its location (``/1/2/``)."""
    steps = [step for step in str(raw.get("location") or "/").split("/") if step]
    return int(steps[-1]) if steps else None


def find_database(client: Client, name: str) -> Mapping[str, Any] | None:
    """The connection of this name; None without one. Raises `DashboardError` when there are two."""
    entries = [(raw["name"], raw) for raw in client.request("GET", "/api/database")["data"]]
    found: Mapping[str, Any] | None = match("database", name, (name,), entries)
    return found


def match(kind: str, label: str, names: Iterable[str], entries: Iterable[tuple[str, Any]]) -> Any:
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


def _collection(
    item: Collection, within: int | None, every: Sequence[Mapping[str, Any]]
) -> Mapping[str, Any] | None:
    names = (item.name, *item.previous_names)
    inside = [(raw["name"], raw) for raw in every if parent_of(raw) == within]
    found: Mapping[str, Any] | None = match("collection", item.path, names, inside)
    if found is None:
        marked = [(forms.unmarked(raw.get("description"))[1] or "", raw) for _, raw in inside]
        found = match("collection", item.path, (item.path,), marked)
    return found
