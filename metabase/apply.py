"""Bring a Metabase to what the files say, by the fewest writes; as a plan, only say what these would be.

Every object is read once, compared in plain form (`forms`) and written only where it differs; what the server
answers is compared again, and what it did not keep is told. After an apply that was interrupted, repeat it:
what was done is found by name, and it goes on where it ended.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from metabase import forms, mail, metadata
from metabase import state as states
from metabase.client import ApiError, Client
from metabase.errors import DashboardError, UsageError
from metabase.forms import Target
from metabase.layout import Layout, lay_out
from metabase.manifest import Manifest
from metabase.settings import Connection
from metabase.spec import Card, CardValues, Collection, Column, Dashboard, Spec
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
    """Compares and, unless `planning`, writes.

    `changes` is what differed, `others` what no file asks for, `not_kept` what the server left out of a
    write. With `adopt` also what has no mark of ours is changed, where its name is that of one of the files'.
    """

    def __init__(
        self,
        client: Client,
        spec: Spec,
        manifest: Manifest,
        connection: Connection,
        *,
        planning: bool,
        prune: bool = False,
        adopt: bool = False,
        report: Callable[[Change], None] = lambda change: None,
        sync_seconds: float = _SYNC_SECONDS,
    ) -> None:
        self._client = client
        self._spec = spec
        self._manifest = manifest
        self._connection = connection
        self._planning = planning
        self._prune = prune
        self._adopt = adopt
        self._report = report
        self._empty = False
        self._sync_seconds = sync_seconds
        self.changes: list[Change] = []
        self.others: list[states.Other] = []
        self.not_kept: list[Change] = []
        self._foreign: list[str] = []
        # what isn't there yet has its name in place of an id while planning
        self._database: int | str = f"<{spec.database}>"
        self._fields: dict[Column, int | str] = {
            column: f"<{column}>"
            for column in (
                *(tag.column for card in spec.cards.values() for tag in card.tags),
                *(item.column for dashboard in spec.dashboards for item in dashboard.filters),
            )
            if column
        }
        self._collections: dict[str, int | str] = {}
        self._cards: dict[str, int | str] = {}
        self._dashboards: dict[str, Mapping[str, Any]] = {}
        self._targets: dict[str, Target] = {}

    def run(self, empty: bool = False) -> None:
        """Everything, in the order in which one needs the other. `empty`: a Metabase before its first run.

        Raises `UsageError`, before the first write, when something that somebody else made has the name of
        one of ours.
        """
        self._empty = empty
        state = State() if empty else states.read(self._client, self._spec)
        self.others = state.others
        if not self._planning and not self._adopt:
            Reconciler(self._client, self._spec, self._manifest, self._connection, planning=True)._reconcile(
                state
            )
        self._reconcile(state)
        if self._prune:
            self._archive(state.others)

    def look(self, state: State) -> None:
        """Know what is there, without comparing: for `card_form` and `layout`."""
        if state.database:
            self._database = state.database["id"]
            self._know_fields(self._metadata(state.database["id"]))
        for collection in self._spec.collections:
            found = state.collections.get(collection.path)
            self._collections[collection.path] = found["id"] if found else f"<{collection.path}>"
        for key in self._spec.cards:
            card = state.cards.get(key)
            self._cards[key] = card["id"] if card else f"<{key}>"
        for dashboard in self._spec.dashboards:
            self._see(dashboard, state.dashboards.get(dashboard.key) or {"id": f"<{dashboard.key}>"})

    def _reconcile(self, state: State) -> None:
        self._reconcile_database(state.database)
        for collection in self._spec.collections:
            self._reconcile_collection(collection, state.collections.get(collection.path))
        for card in self._spec.cards.values():
            self._reconcile_card(card, state.cards.get(card.key))
        made = [self._make_dashboard(one, state.dashboards.get(one.key)) for one in self._spec.dashboards]
        for dashboard, new in zip(self._spec.dashboards, made, strict=True):
            self._reconcile_dashboard(dashboard, new)
        # a click to a tab that has only now been made
        for dashboard in self._spec.dashboards:
            if not self._planning and any(click.tab for item in dashboard.items for click in item.clicks):
                self._reconcile_dashboard(dashboard, new=True)
        for dashboard in self._spec.dashboards:
            self._reconcile_mail(dashboard)
        self._reconcile_permissions()
        if self._planning and self._foreign and not self._adopt:
            raise UsageError(
                "Metabase has these, and nothing says that they were made from the files: "
                f"{', '.join(self._foreign)}. Rename them there; or, to have them changed to what the files"
                " say (after an upgrade from 0.2, too), give --adopt. Nothing was changed"
            )

    # --- the database and what is known about its tables

    def _reconcile_database(self, found: Mapping[str, Any] | None) -> None:
        wanted = {
            "host": self._connection.host,
            "port": self._connection.port,
            "dbname": self._connection.database,
            "user": self._connection.user,
            "schema-filters-type": "inclusion",
            "schema-filters-patterns": ",".join(self._spec.schemas),
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
                answer = self._write(Change("~", label, lines), "PUT", f"/api/database/{found['id']}", body)
                self._compare(label, (answer or {}).get("details"), wanted)
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
        self._know_fields(content)
        for update in metadata.updates(self._manifest, self._spec, content):
            lines = tuple(f"{key}: {forms.shown(value)}" for key, value in update.body.items())
            change = Change("~", f"{update.kind} {update.label}", lines)
            answer = self._write(change, "PUT", f"/api/{update.kind}/{update.id}", update.body)
            self._compare(change.what, answer, update.body)

    def _know_fields(self, content: Mapping[str, Any]) -> None:
        known = {
            (f"{table.get('schema')}.{table['name']}", field["name"]): field["id"]
            for table in content["tables"]
            for field in table.get("fields", ())
        }
        for column in self._fields:
            relation = self._manifest.relations[column.model]
            self._fields[column] = known.get((relation, column.name), self._fields[column])

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
        names |= {column.model for column in self._fields}
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
        after = {
            "name": collection.name,
            "description": forms.marked(collection.description, collection.path),
        }
        if found is None:
            self._collections[collection.path] = f"<{collection.path}>"
            body: dict[str, Any] = dict(after)
            if collection.parent:
                body["parent_id"] = self._collections[collection.parent]
            answer = self._write(Change("+", label), "POST", "/api/collection", body)
            if answer is not None:
                self._collections[collection.path] = answer["id"]
                self._compare(label, answer, after)
            return
        self._collections[collection.path] = found["id"]
        before = {"name": found["name"], "description": found.get("description") or None}
        differing = self._differing(label, before, after)
        if differing:
            lines = tuple(forms.diff({key: before[key] for key in differing}, differing, ""))
            answer = self._write(
                Change("~", label, lines), "PUT", f"/api/collection/{found['id']}", differing
            )
            self._compare(label, answer, after)

    def _reconcile_permissions(self) -> None:
        wanted = [one for one in self._spec.collections if one.permissions]
        if self._empty:  # a plan: before the first run nobody can ask for the groups
            for one in wanted:
                lines = [f"{group}: {permission}" for group, permission in one.permissions.items()]
                self._write(Change("~", f"permissions of collection {one.path}", tuple(lines)), "PUT", "", {})
            return
        if not wanted:
            return
        groups = {raw["name"]: raw["id"] for raw in self._client.request("GET", "/api/permissions/group")}
        graph = self._client.request("GET", "/api/collection/graph")
        changed: dict[str, dict[str, str]] = {}
        lines = []
        for collection in wanted:
            id_ = str(self._collections[collection.path])
            for name, permission in collection.permissions.items():
                if name not in groups:
                    raise DashboardError(
                        f"collection {collection.path}: Metabase has no group {name!r}; it has "
                        f"{', '.join(sorted(groups))}"
                    )
                group = str(groups[name])
                # "none" is left out by newer versions
                now = (graph["groups"].get(group) or {}).get(id_) or "none"
                if now != permission:
                    changed.setdefault(group, {})[id_] = permission
                    lines.append(f"{collection.path}: {name}: {now} → {permission}")
        if changed:
            whole = {group: {**(graph["groups"].get(group) or {}), **new} for group, new in changed.items()}
            body = {"revision": graph.get("revision"), "groups": whole}
            change = Change("~", "permissions of the collections", tuple(lines))
            answer = self._write(change, "PUT", "/api/collection/graph", body)
            if answer is not None:
                after = self._client.request("GET", "/api/collection/graph")["groups"]
                for group, new in changed.items():
                    kept = {id_: (after.get(group) or {}).get(id_) or "none" for id_ in new}
                    self._compare(change.what, kept, new)

    # --- cards

    def _reconcile_card(self, card: Card, found: Mapping[str, Any] | None) -> None:
        label = f"card {card.collection}/{card.name}"
        after = self.card_form(card, found)
        if found is None:
            self._cards[card.key] = f"<{card.key}>"
            keys = [key for key in after if key != "archived" and after[key] is not None]
            answer = self._write(Change("+", label), "POST", "/api/card", forms.card_body(card, after, keys))
            if answer is not None:
                self._cards[card.key] = answer["id"]
                self._compare(label, forms.card_answer_form(answer), after)
            return
        self._cards[card.key] = found["id"]
        before = forms.card_answer_form(found)
        if self._is_same(before["dataset_query"]["sql"], after["dataset_query"]["sql"]):
            before["dataset_query"]["sql"] = after["dataset_query"]["sql"]
        differing = self._differing(label, before, after)
        if differing:
            lines = tuple(forms.diff({key: before[key] for key in differing}, differing, ""))
            body = forms.card_body(card, after, differing)
            answer = self._write(Change("~", label, lines), "PUT", f"/api/card/{found['id']}", body)
            if answer is not None:
                self._compare(label, forms.card_answer_form(answer), after)

    def _is_same(self, one: str | None, other: str) -> bool:
        """Whether two queries only differ in quotes around a table's name, or in space at their end."""
        if one is None or one == other:
            return one == other
        plain = [self._manifest.rewritten(sql, lambda model: model.relation).rstrip() for sql in (one, other)]
        return plain[0] == plain[1]

    def card_form(self, card: Card, found: Mapping[str, Any] | None) -> dict[str, Any]:
        """What a card should be, in plain form, once the database and the collections are known."""
        sql = card.sql.for_metabase(self._manifest.relations, self._manifest.variables)
        known = forms.read_query(found.get("dataset_query") or {}) if found else None
        collection = self._collections[card.collection]
        return forms.card_form(card, sql, self._database, collection, self._fields, known)

    # --- dashboards

    def _make_dashboard(self, dashboard: Dashboard, found: Mapping[str, Any] | None) -> bool:
        """Have it there, since clicks on others go to it; whether it is new.

        A dashboard is made in two requests, which is one change to a person.
        """
        new = found is None
        if found is None:
            head = {key: value for key, value in self._head(dashboard).items() if key != "width"}
            label = f"dashboard {dashboard.collection}/{dashboard.name}"
            answer = self._write(Change("+", label), "POST", "/api/dashboard", _given(head))
            found = answer or {"id": f"<{dashboard.key}>", **head}
        self._see(dashboard, found)
        return new

    def _see(self, dashboard: Dashboard, found: Mapping[str, Any]) -> list[dict[str, Any]]:
        """Remember what a dashboard is like on the server; its filters as the files want them."""
        self._dashboards[dashboard.key] = found
        parameters = forms.parameter_forms(dashboard, self._cards, found.get("parameters") or [])
        self._targets[dashboard.key] = Target(
            id=found["id"],
            parameters={parameter["slug"]: parameter["id"] for parameter in parameters},
            tabs={tab["name"]: tab["id"] for tab in found.get("tabs") or []},
        )
        return parameters

    def _head(self, dashboard: Dashboard) -> dict[str, Any]:
        return {
            "name": dashboard.name,
            "description": forms.marked(dashboard.description, dashboard.key),
            "collection_id": self._collections[dashboard.collection],
            "collection_position": dashboard.pinned,
            "width": dashboard.width,
        }

    def _reconcile_dashboard(self, dashboard: Dashboard, new: bool) -> None:
        label = f"dashboard {dashboard.collection}/{dashboard.name}"
        found = self._dashboards[dashboard.key]
        body, lines = self._dashboard_body(dashboard, found, label)
        if body:
            change = Change("~", label, tuple(lines))
            answer = self._write(change, "PUT", f"/api/dashboard/{found['id']}", body, silent=new)
            if answer is not None:
                self._see(dashboard, answer)
                left = self._dashboard_body(dashboard, answer, label)[1]
                if left:
                    self.not_kept.append(Change("!", label, tuple(left)))

    def _dashboard_body(
        self, dashboard: Dashboard, found: Mapping[str, Any], label: str
    ) -> tuple[dict[str, Any], list[str]]:
        """What to send so that a dashboard becomes what the file says, and what that changes, for people."""
        parameters = self._see(dashboard, found)
        after = self._head(dashboard)
        before = {
            "name": found["name"],
            "description": found.get("description") or None,
            "collection_id": found.get("collection_id"),
            "collection_position": found.get("collection_position"),
            "width": found.get("width") or "fixed",
        }
        known = [forms.parameter_answer_form(raw) for raw in found.get("parameters") or []]
        wanted = [forms.parameter_answer_form(form) for form in parameters]
        layout = self.layout(dashboard)
        body = self._differing(label, before, after, known != wanted or bool(layout.lines))
        lines = forms.diff({key: before[key] for key in body}, body, "")
        if known != wanted:
            body["parameters"] = parameters
            lines += _list_diff("filter", {p["slug"]: p for p in known}, {p["slug"]: p for p in wanted})
        if layout.lines:
            body |= {"tabs": layout.tabs, "dashcards": layout.dashcards}
            lines += layout.lines
        return body, lines

    def layout(self, dashboard: Dashboard) -> Layout:
        """What stands where on a dashboard, compared with what the server was last seen to have."""
        found = self._dashboards[dashboard.key]
        return lay_out(self._spec, dashboard, found, self._cards, self._targets)

    # --- subscriptions and alerts

    def _reconcile_mail(self, dashboard: Dashboard) -> None:
        """Those of the files, told apart by name and card; those that people made for themselves are left."""
        found = self._dashboards[dashboard.key]
        there = isinstance(found["id"], int)
        pulses: list[Mapping[str, Any]] = []
        if dashboard.subscriptions and there:
            pulses = self._client.request("GET", "/api/pulse", params={"dashboard_id": found["id"]})
        for subscription in dashboard.subscriptions:
            label = f"subscription {dashboard.collection}/{dashboard.name}: {subscription.name}"
            body = mail.subscription_body(subscription, dashboard, found, self._targets[dashboard.key])
            named = [(pulse["name"], pulse) for pulse in pulses if not pulse.get("archived")]
            pulse = states.match("subscription", label, (subscription.name,), named)
            self._reconcile_message(label, "/api/pulse", pulse, body, mail.subscription_form)
        for alert in dashboard.alerts:
            id_ = self._cards[alert.card]
            label = f"alert for {self._spec.cards[alert.card].name}, {alert.when}"
            listed: list[Mapping[str, Any]] = []
            if isinstance(id_, int):
                listed = self._client.request("GET", "/api/notification", params={"card_id": id_})
            body = mail.alert_body(alert, id_)
            condition = body["payload"]["send_condition"]
            named = [((one.get("payload") or {}).get("send_condition"), one) for one in listed]
            known = states.match("alert", label, (condition,), named)
            self._reconcile_message(label, "/api/notification", known, body, mail.alert_form)

    def _reconcile_message(
        self,
        label: str,
        path: str,
        found: Mapping[str, Any] | None,
        body: Mapping[str, Any],
        form: Callable[[Mapping[str, Any]], dict[str, Any]],
    ) -> None:
        after = form(body)
        if found is None:
            answer = self._write(Change("+", label), "POST", path, body)
        else:
            before = form(found)
            differing = {key: value for key, value in after.items() if before.get(key) != value}
            if not differing:
                return
            lines = tuple(forms.diff({key: before.get(key) for key in differing}, differing, ""))
            whole = {**found, **body} if path.endswith("notification") else body
            answer = self._write(Change("~", label, lines), "PUT", f"{path}/{found['id']}", whole)
        if answer is not None:
            self._compare(label, form(answer), after)

    # --- comparing

    def _differing(
        self,
        label: str,
        before: Mapping[str, Any],
        after: Mapping[str, Any],
        more: bool = False,
    ) -> dict[str, Any]:
        """What of `after` differs; `more`: something beside it does, too.

        A description that only lacks our mark is left as it is while nothing else differs: so what came into
        the files by an export is not written again.
        """
        differing = {key: value for key, value in after.items() if before.get(key) != value}
        text, mark = forms.unmarked(before.get("description"))
        same_text = mark is None and text == forms.unmarked(after["description"])[0]
        if same_text and not more and set(differing) <= {"description"}:
            return {}
        if mark is None and (differing or more):
            self._foreign.append(label)
        return differing

    def _compare(self, label: str, answer: Mapping[str, Any] | None, wanted: Mapping[str, Any]) -> None:
        """Tell what the server did not keep of what it was sent."""
        if answer is None or self._planning:
            return
        lost = {key: value for key, value in wanted.items() if answer.get(key) != value}
        if lost:
            lines = tuple(forms.diff({key: answer.get(key) for key in lost}, lost, ""))
            self.not_kept.append(Change("!", label, lines))

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

    def run_cards(
        self, progress: Callable[[str], None] = lambda name: None, only_values: bool = False
    ) -> list[Failure]:
        """Run every card by itself, then in each place where a filter has a default; those that failed.

        `only_values`: only the cards that drop-downs take their values from. Metabase learns a card's columns
        by running it, and offers nothing before.
        """
        offering = {
            item.values.card: item.search
            for dashboard in self._spec.dashboards
            for item in dashboard.filters
            if isinstance(item.values, CardValues)
        }
        failures = []
        for key, card in self._spec.cards.items():
            if only_values and key not in offering:
                continue
            progress(card.name)
            path = f"/api/card/{self._cards[key]}/query"
            # a drop-down that one searches asks for what one types, so all rows need not come at once
            error = self._query(path, {"ignore_cache": True, "parameters": []}, whole=not offering.get(key))
            if error:
                failures.append(Failure(f"{card.collection}/{card.name}", error))
        if only_values:
            return failures
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
                error = self._query(path, {"parameters": values}, whole=True)
                if error:
                    name = f"{dashboard.name}: {shown.name}, with the filters' defaults"
                    failures.append(Failure(name, error))
        return failures

    def _query(self, path: str, body: Mapping[str, Any], whole: bool) -> str | None:
        try:
            answer = self._client.request("POST", path, json=body, reads=True)
        except ApiError as error:
            return str(error)
        # 202 whether it worked or not
        if answer.get("status") != "completed":
            return str(answer.get("error") or answer.get("message") or f"status {answer.get('status')!r}")
        kept = (answer.get("data") or {}).get("rows_truncated")
        if whole and kept:
            return (
                f"Metabase shows the first {kept} rows of it and leaves the rest out: have the SQL return"
                " fewer (a coarser grain, a limit with the newest first)"
            )
        return None


def _given(body: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in body.items() if value is not None}


def _list_diff(kind: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    lines = [f"- {kind} {key}" for key in before if key not in after]
    for key, value in after.items():
        lines += forms.diff(before[key], value, f"{kind} {key}") if key in before else [f"+ {kind} {key}"]
    if not lines:
        lines.append(f"{kind}s: {', '.join(before)} → {', '.join(after)}")
    return lines
