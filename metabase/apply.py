"""Bring a Metabase to what the files say, by the fewest writes; as a plan, only say what these would be.

Every object is read once, compared in plain form (`forms`) and written only where it differs. After an apply
that was interrupted, repeat it: what was done is found by name, and it goes on where it ended.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from metabase import forms, metadata
from metabase import state as states
from metabase.client import ApiError, Client
from metabase.errors import DashboardError
from metabase.manifest import SCHEMAS, Manifest
from metabase.settings import Connection
from metabase.spec import Card, Collection, Dashboard, Item, Spec
from metabase.state import State

_SYNC_SECONDS = 120.0


@dataclass(frozen=True)
class Change:
    """One write, done or planned. `sign` is ``+`` (made), ``~`` (changed) or ``-`` (archived)."""

    sign: str
    what: str
    lines: tuple[str, ...] = ()

    def __str__(self) -> str:
        return "\n".join([f"{self.sign} {self.what}", *(f"    {line}" for line in self.lines)])


@dataclass(frozen=True)
class Failure:
    """A card that could not be run."""

    card: str
    error: str


class Reconciler:
    """Compares and, unless `planning`, writes. `changes` is what differed; `others` what no file asks for."""

    def __init__(
        self,
        client: Client,
        spec: Spec,
        manifest: Manifest,
        connection: Connection,
        *,
        planning: bool,
        prune: bool = False,
        report: Callable[[Change], None] = lambda change: None,
        sync_seconds: float = _SYNC_SECONDS,
    ) -> None:
        self._client = client
        self._spec = spec
        self._manifest = manifest
        self._connection = connection
        self._planning = planning
        self._prune = prune
        self._report = report
        self._sync_seconds = sync_seconds
        self.changes: list[Change] = []
        self.others: list[states.Other] = []
        # what isn't there yet has its name in place of an id while planning
        self._database: int | str = f"<{spec.database}>"
        self._collections: dict[str, int | str] = {}
        self._cards: dict[str, int | str] = {}
        self._dashboards: dict[str, Mapping[str, Any]] = {}

    def run(self, empty: bool = False) -> None:
        """Everything, in the order in which one needs the other. `empty`: a Metabase before its first run."""
        state = State() if empty else states.read(self._client, self._spec)
        self.others = state.others
        self._reconcile_database(state.database)
        for collection in self._spec.collections:
            self._reconcile_collection(collection, state.collections.get(collection.path))
        for card in self._spec.cards.values():
            self._reconcile_card(card, state.cards.get(card.key))
        for dashboard in self._spec.dashboards:
            self._reconcile_dashboard(dashboard, state.dashboards.get(dashboard.key))
        if self._prune:
            self._archive(state.others)

    # --- the database and what is known about its tables

    def _reconcile_database(self, found: Mapping[str, Any] | None) -> None:
        wanted = {
            "host": self._connection.host,
            "port": self._connection.port,
            "dbname": self._connection.database,
            "user": self._connection.user,
            "schema-filters-type": "inclusion",
            "schema-filters-patterns": ",".join(SCHEMAS),
        }
        secret = {**wanted, "password": self._connection.password}
        label = f"database {self._spec.database}"
        if found is None:
            lines = tuple(f"{key}: {value}" for key, value in wanted.items())
            body = {
                "name": self._spec.database,
                "engine": "postgres",
                # Metabase tries SSL first, and keeps what worked
                "details": {**secret, "ssl": False},
                "is_full_sync": True,
            }
            answer = self._write(Change("+", label, lines), "POST", "/api/database", body)
            if answer is None:
                return
            found = answer
        else:
            self._database = found["id"]
            details = found.get("details") or {}
            differing = forms.changed_keys(details, wanted)
            lines = tuple(f"{key}: {details.get(key)} → {wanted[key]}" for key in differing)
            if not differing and not self._is_healthy(found["id"]):
                # the password is never shown, so it can't be compared; a failing connection says enough
                lines = ("password: Metabase can't connect with the one it has",)
            if lines:
                # whole, as it replaces what is there; what somebody set beside is kept
                body = {"engine": "postgres", "details": {**details, **secret}}
                self._write(Change("~", label, lines), "PUT", f"/api/database/{found['id']}", body)
        self._database = found["id"]
        self._reconcile_metadata(found["id"])

    def _is_healthy(self, database: int) -> bool:
        try:
            answer = self._client.request("GET", f"/api/database/{database}/healthcheck")
        except ApiError as error:
            if error.status == 404:  # a version without it
                return True
            raise
        return bool(answer.get("status") == "ok")

    def _reconcile_metadata(self, database: int) -> None:
        content = self._metadata(database)
        missing = self._missing(content)
        if missing:
            change = Change("~", f"database {self._spec.database}: sync the schema", tuple(missing[:10]))
            self._write(change, "POST", f"/api/database/{database}/sync_schema", None)
            if self._planning:
                return
            deadline = time.monotonic() + self._sync_seconds
            while missing:
                if time.monotonic() >= deadline:
                    raise DashboardError(
                        f"Metabase does not see these of the warehouse after {self._sync_seconds:g} s: "
                        f"{', '.join(missing[:10])}. Has `dbt build` made them in {self._connection.database}"
                        f", and may {self._connection.user} read them (`python -m warehouse reader`)?"
                    )
                time.sleep(min(1.0, self._sync_seconds / 10))
                content = self._metadata(database)
                missing = self._missing(content)
        for update in metadata.updates(self._manifest.path, content):
            lines = tuple(f"{key}: {forms.shown(value)}" for key, value in update.body.items())
            change = Change("~", f"{update.kind} {update.label}", lines)
            self._write(change, "PUT", f"/api/{update.kind}/{update.id}", update.body)

    def _metadata(self, database: int) -> Mapping[str, Any]:
        answer: Mapping[str, Any] = self._client.request(
            "GET", f"/api/database/{database}/metadata", params={"include_hidden": "true"}
        )
        return answer

    def _missing(self, content: Mapping[str, Any]) -> list[str]:
        """The tables and columns that the cards read and Metabase does not know."""
        known = {
            f"{table.get('schema')}.{table['name']}": {field["name"] for field in table.get("fields", ())}
            for table in content["tables"]
        }
        names = {name for card in self._spec.cards.values() for name in card.sql.refs}
        missing = []
        for model in sorted((self._manifest.models[name] for name in names), key=lambda m: m.relation):
            if model.relation not in known:
                missing.append(model.relation)
            else:
                absent = set(model.columns) - known[model.relation]
                missing += [f"{model.relation}.{column}" for column in sorted(absent)]
        return missing

    # --- collections

    def _reconcile_collection(self, collection: Collection, found: Mapping[str, Any] | None) -> None:
        label = f"collection {collection.path}"
        if found is None:
            self._collections[collection.path] = f"<{collection.path}>"
            body: dict[str, Any] = {"name": collection.name}
            if collection.description:
                body["description"] = collection.description
            if collection.parent:
                body["parent_id"] = self._collections[collection.parent]
            answer = self._write(Change("+", label), "POST", "/api/collection", body)
            if answer is not None:
                self._collections[collection.path] = answer["id"]
            return
        self._collections[collection.path] = found["id"]
        before = {"name": found["name"], "description": found.get("description") or None}
        after = {"name": collection.name, "description": collection.description}
        differing = forms.changed_keys(before, after)
        if differing:
            lines = tuple(forms.diff(before, after, ""))
            body = {key: after[key] for key in differing}
            self._write(Change("~", label, lines), "PUT", f"/api/collection/{found['id']}", body)

    # --- cards

    def _reconcile_card(self, card: Card, found: Mapping[str, Any] | None) -> None:
        label = f"card {card.collection}/{card.name}"
        sql = card.sql.for_metabase(self._manifest.relations, self._manifest.variables)
        collection = self._collections[card.collection]
        known = forms.read_query(found.get("dataset_query") or {}) if found else None
        after = forms.card_form(card, sql, self._database, collection, known)
        if found is None:
            self._cards[card.key] = f"<{card.key}>"
            keys = [key for key in after if key != "archived" and after[key] is not None]
            answer = self._write(Change("+", label), "POST", "/api/card", forms.card_body(card, after, keys))
            if answer is not None:
                self._cards[card.key] = answer["id"]
            return
        self._cards[card.key] = found["id"]
        before = forms.card_answer_form(found)
        differing = forms.changed_keys(before, after)
        if differing:
            lines = tuple(
                forms.diff({key: before[key] for key in differing}, {k: after[k] for k in differing}, "")
            )
            body = forms.card_body(card, after, differing)
            self._write(Change("~", label, lines), "PUT", f"/api/card/{found['id']}", body)

    # --- dashboards

    def _reconcile_dashboard(self, dashboard: Dashboard, found: Mapping[str, Any] | None) -> None:
        label = f"dashboard {dashboard.collection}/{dashboard.name}"
        head = {
            "name": dashboard.name,
            "description": dashboard.description,
            "collection_id": self._collections[dashboard.collection],
        }
        # a dashboard is made in two requests, which is one change to a person
        made = found is None
        if found is None:
            answer = self._write(Change("+", label), "POST", "/api/dashboard", head)
            # what it is like after that; while planning nothing has made it
            found = answer or {"id": f"<{dashboard.key}>", **head}
        before = {
            "name": found["name"],
            "description": found.get("description") or None,
            "collection_id": found.get("collection_id"),
            "width": found.get("width") or "fixed",
        }
        after = {**head, "width": dashboard.width}
        body: dict[str, Any] = {key: after[key] for key in forms.changed_keys(before, after)}
        lines = forms.diff(before, after, "")

        parameters = forms.parameter_forms(dashboard, self._cards, found.get("parameters") or [])
        known = [forms.parameter_answer_form(raw) for raw in found.get("parameters") or []]
        wanted = [forms.parameter_answer_form(form) for form in parameters]
        if known != wanted:
            body["parameters"] = parameters
            lines += _list_diff("filter", {p["slug"]: p for p in known}, {p["slug"]: p for p in wanted})
        layout = _Layout(dashboard, found, self._cards, {p["slug"]: p["id"] for p in parameters})
        if layout.lines:
            body |= {"tabs": layout.tabs, "dashcards": layout.dashcards}
            lines += layout.lines
        if body:
            change = Change("~", label, tuple(lines))
            answer = self._write(change, "PUT", f"/api/dashboard/{found['id']}", body, silent=made)
            found = answer or found
        self._dashboards[dashboard.key] = found

    # --- what no file asks for

    def _archive(self, others: Sequence[states.Other]) -> None:
        """Dashboards before the cards on them, collections last and from the innermost."""
        order = ("dashboard", "card", "collection")
        for other in sorted(others, key=lambda o: (order.index(o.model), -o.path.count("/"), o.path)):
            change = Change("-", f"{other.model} {other.path}")
            self._write(change, "PUT", f"/api/{other.model}/{other.id}", {"archived": True})

    def _write(self, change: Change, method: str, path: str, body: Any, silent: bool = False) -> Any:
        """Send, unless this is a plan; the answer, None while planning."""
        if not silent:
            self.changes.append(change)
            self._report(change)
        if self._planning:
            return None
        try:
            return self._client.request(method, path, json=body) or {}
        except ApiError as error:
            raise DashboardError(
                f"{change.what}: {error}. What was done before stays; repeat the command when this is mended"
            ) from error

    # --- after an apply

    def run_cards(self, progress: Callable[[str], None] = lambda name: None) -> list[Failure]:
        """Run every card by itself, then in each place where a filter has a default; those that failed."""
        failures = []
        for key, card in self._spec.cards.items():
            progress(card.name)
            path = f"/api/card/{self._cards[key]}/query"
            error = self._query(path, {"ignore_cache": True, "parameters": []})
            if error:
                failures.append(Failure(f"{card.collection}/{card.name}", error))
        failed = {failure.card for failure in failures}
        names = {self._cards[card.key]: card for card in self._spec.cards.values()}
        for dashboard in self._spec.dashboards:
            found = self._dashboards[dashboard.key]
            defaults = {p["id"]: p.get("default") for p in found.get("parameters") or []}
            for place in found.get("dashcards") or []:
                mapped = [entry["parameter_id"] for entry in place.get("parameter_mappings") or ()]
                values = [
                    {"id": id_, "value": defaults[id_]} for id_ in mapped if defaults.get(id_) is not None
                ]
                shown = names.get(place.get("card_id"))
                if not values or shown is None or f"{shown.collection}/{shown.name}" in failed:
                    continue
                path = f"/api/dashboard/{found['id']}/dashcard/{place['id']}/card/{place['card_id']}/query"
                error = self._query(path, {"parameters": values})
                if error:
                    name = f"{dashboard.name}: {shown.name}, with the filters' defaults"
                    failures.append(Failure(name, error))
        return failures

    def _query(self, path: str, body: Mapping[str, Any]) -> str | None:
        try:
            answer = self._client.request("POST", path, json=body, reads=True)
        except ApiError as error:
            return str(error)
        # 202 whether it worked or not
        if answer.get("status") == "completed":
            return None
        return str(answer.get("error") or answer.get("message") or f"status {answer.get('status')!r}")


class _Layout:
    """Tabs and dashcards to send, known ids kept; `lines` says what differs (empty: nothing)."""

    def __init__(
        self,
        dashboard: Dashboard,
        found: Mapping[str, Any],
        cards: Mapping[str, int | str],
        parameters: Mapping[str, str],
    ) -> None:
        self._names = {id_: key for key, id_ in cards.items()}
        old_tabs = list(found.get("tabs") or [])
        self.tabs = self._match_tabs(dashboard, old_tabs)
        self.dashcards: list[dict[str, Any]] = []
        tab_ids = {tab["name"]: tab["id"] for tab in self.tabs}
        old_names = {tab["id"]: tab["name"] for tab in old_tabs}
        new_names = {tab["id"]: tab["name"] for tab in self.tabs}

        left = list(found.get("dashcards") or [])
        places = [(tab.name, item) for tab in dashboard.tabs for item in tab.items]
        # the nearest match first, so that a place which moved keeps its id, and its subscriptions
        chosen: list[Mapping[str, Any] | None] = [None] * len(places)
        for likeness in range(3):
            for number, (tab, item) in enumerate(places):
                if chosen[number] is None:
                    chosen[number] = self._take(left, item, tab_ids.get(tab or ""), cards, likeness)
        self.lines: list[str] = []
        for number, (tab, item) in enumerate(places):
            before = chosen[number]
            card = cards[item.card] if item.card else None
            dashcard = {
                "id": before["id"] if before else -1 - number,
                "card_id": card,
                "dashboard_tab_id": tab_ids[tab] if tab is not None else None,
                "row": item.place.row,
                "col": item.place.col,
                "size_x": item.place.width,
                "size_y": item.place.height,
                "parameter_mappings": forms.mappings(item, card, parameters) if card is not None else [],
                "visualization_settings": forms.dashcard_settings(item),
                "series": [],
                "inline_parameters": [],
            }
            self.dashcards.append(dashcard)
            label = self._label(dashcard)
            if before is None:
                self.lines.append(f"+ {label}")
            else:
                old = forms.dashcard_form(before, old_names.get(before.get("dashboard_tab_id") or 0))
                new = forms.dashcard_form(dashcard, new_names.get(dashcard["dashboard_tab_id"]))
                self.lines += forms.diff(old, new, label)
        self.lines += [f"- {self._label(dashcard)}" for dashcard in left]
        if [(t["id"], t["name"]) for t in old_tabs] != [(t["id"], t["name"]) for t in self.tabs]:
            self.lines += forms.diff([t["name"] for t in old_tabs], [t["name"] for t in self.tabs], "tabs")

    @staticmethod
    def _match_tabs(dashboard: Dashboard, old: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """By name; one that was renamed in its place keeps its id."""
        wanted = [tab.name for tab in dashboard.tabs if tab.name is not None]
        by_name = {tab["name"]: tab["id"] for tab in old}
        tabs = []
        for number, name in enumerate(wanted):
            id_ = by_name.get(name)
            if id_ is None and number < len(old) and old[number]["name"] not in wanted:
                id_ = old[number]["id"]
            tabs.append({"id": id_ if id_ is not None else -1 - number, "name": name})
        return tabs

    @staticmethod
    def _take(
        left: list[Mapping[str, Any]],
        item: Item,
        tab: int | None,
        cards: Mapping[str, int | str],
        likeness: int,
    ) -> Mapping[str, Any] | None:
        """The dashcard that this place had: 0 same content in the same tab and place, 1 same tab, 2 anywhere.

        Content is the card; of a text its kind and, at first, its words.
        """
        settings = forms.dashcard_settings(item)
        for dashcard in left:
            if item.card:
                same = dashcard.get("card_id") == cards[item.card]
            else:
                same = dashcard.get("card_id") is None and forms.virtual_kind(dashcard) == forms.virtual_kind(
                    {"visualization_settings": settings}
                )
                words = (dashcard.get("visualization_settings") or {}).get("text")
                same = same and (
                    likeness > 1 or words == settings.get("text") or _at(dashcard) == _at_item(item)
                )
            in_tab = (dashcard.get("dashboard_tab_id") or None) == tab
            exact = _at(dashcard) == _at_item(item)
            if same and (likeness == 2 or in_tab) and (likeness > 0 or exact):
                left.remove(dashcard)
                return dashcard
        return None

    def _label(self, dashcard: Mapping[str, Any]) -> str:
        if dashcard.get("card_id") is not None:
            key = self._names.get(dashcard["card_id"])
            return f"card {key}" if key else f"card {(dashcard.get('card') or {}).get('name')!r}"
        kind = forms.virtual_kind(dashcard) or "place"
        text = (dashcard.get("visualization_settings") or {}).get("text") or ""
        return f"{kind} {text[:40]!r}"


def _at(dashcard: Mapping[str, Any]) -> tuple[int, int]:
    return (dashcard["row"], dashcard["col"])


def _at_item(item: Item) -> tuple[int, int]:
    return (item.place.row, item.place.col)


def _list_diff(kind: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    lines = [f"- {kind} {key}" for key in before if key not in after]
    for key, value in after.items():
        lines += forms.diff(before[key], value, f"{kind} {key}") if key in before else [f"+ {kind} {key}"]
    if not lines:
        lines.append(f"{kind}s: {', '.join(before)} → {', '.join(after)}")
    return lines
