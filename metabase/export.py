"""What was clicked in Metabase, brought into `metabase.yml`, `dashboards/*.yml` and the cards' SQL.

Of what the files have, only what differs from them is written, in its place, with comments and order as they
were; what is new gets files. What these can't hold is told, not dropped in silence.
"""

import difflib
import re
import unicodedata
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from metabase import forms, yamledit
from metabase import state as states
from metabase.apply import Reconciler
from metabase.client import Client
from metabase.errors import DashboardError, UsageError
from metabase.loader import column_key, schema
from metabase.manifest import Manifest
from metabase.settings import Connection
from metabase.spec import FIELD, TAG_TYPES, Card, Column, Dashboard, Item, Spec
from metabase.yamledit import Document

Raw = dict[str, Any]

_VARIABLES = ("text", "number", "date")
_HEAD = "# yaml-language-server: $schema=../schema.json\n"


class Exporter:
    """Collects what to write; `write` writes it. `left_out` is what could not be brought over."""

    def __init__(self, client: Client, spec: Spec, manifest: Manifest) -> None:
        self._client = client
        self._spec = spec
        self._manifest = manifest
        self._folder = spec.folder
        self._state = states.read(client, spec)
        nowhere = Connection("", 0, "", "", "")
        self._known = Reconciler(client, spec, manifest, nowhere, planning=True)
        self._known.look(self._state)
        self._paths = _paths(client)
        self._fields = self._columns()
        # keys by id, of what is in the files and what comes into them
        self._card_keys = {raw["id"]: key for key, raw in self._state.cards.items()}
        self._board_keys = {raw["id"]: key for key, raw in self._state.dashboards.items()}
        self._boards = {raw["id"]: raw for raw in self._state.dashboards.values()}
        self._documents: dict[Path, Document] = {}
        self._texts: dict[Path, str] = {}
        self._gone: list[Path] = []
        self.left_out: list[str] = []

    def export(self, what: str | None) -> None:
        """One dashboard, by number or path; all in a collection, by path; without, all of the files.

        Raises `UsageError` when Metabase has no such thing, or more than one.
        """
        boards = [self._board(id_) for id_ in self._wanted(what)]
        # named first, since one may lead to another by a click
        for board in boards:
            if board["id"] not in self._board_keys:
                taken = {*self._board_keys.values(), *(one.key for one in self._spec.dashboards)}
                self._board_keys[board["id"]] = _key(board["name"], taken)
        by_id = {raw["id"]: key for key, raw in self._state.dashboards.items()}
        for board in boards:
            key = by_id.get(board["id"])
            if key is None:
                self._new_dashboard(board)
            else:
                self._managed_dashboard(next(one for one in self._spec.dashboards if one.key == key), board)
        self._forget_unshown([by_id[board["id"]] for board in boards if board["id"] in by_id])

    def write(self) -> list[Path]:
        """Write what differs from what is there; the files written or removed."""
        texts = {**self._texts, **{path: document.text() for path, document in self._documents.items()}}
        written = []
        for path, text in texts.items():
            if not path.is_file() or path.read_text(encoding="utf-8") != text:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text, encoding="utf-8")
                written.append(path)
        for path in self._gone:
            path.unlink()
        return [*written, *self._gone]

    # --- what to export

    def _wanted(self, what: str | None) -> list[int]:
        if what is None:
            return [raw["id"] for raw in self._state.dashboards.values()]
        if what.isdigit():
            return [int(what)]
        where, _, name = what.rpartition("/")
        found = [
            entry["id"]
            for id_, path in self._paths.items()
            if path == where
            for entry in states.items(self._client, id_ or "root")
            if entry["model"] == "dashboard" and entry["name"] == name
        ]
        inside = [id_ for id_, path in self._paths.items() if f"{path}/".startswith(f"{what}/")]
        if not found and inside:
            entries = [entry for id_ in inside for entry in states.items(self._client, id_ or "root")]
            boards = [entry["id"] for entry in entries if entry["model"] == "dashboard"]
            shown = {d.get("card_id") for id_ in boards for d in self._board(id_).get("dashcards") or ()}
            for entry in entries:
                if entry["model"] != "dashboard" and entry["id"] not in shown:
                    self._lone_card(entry["id"])
            return boards
        if len(found) != 1:
            raise UsageError(
                f"Metabase has {len(found) or 'no'} dashboard{'s' if len(found) > 1 else ''} {what!r}"
                f"{' (ids ' + ', '.join(map(str, found)) + ')' if found else ''}, and no such collection:"
                " name it by collection and name (TMDB/My films), or by the number in its address"
            )
        return [int(found[0])]

    def _board(self, id_: int) -> Mapping[str, Any]:
        if id_ not in self._boards:
            self._boards[id_] = self._client.request("GET", f"/api/dashboard/{id_}")
        return self._boards[id_]

    # --- dashboards of the files

    def _managed_dashboard(self, dashboard: Dashboard, board: Mapping[str, Any]) -> None:
        document = self._document(dashboard.path)
        layout = self._known.layout(dashboard)
        wanted_parameters = forms.parameter_forms(dashboard, self._ids(), board.get("parameters") or [])
        parameters = list(board.get("parameters") or [])
        self._merge_filters(dashboard, document, wanted_parameters, parameters)

        before = {"name": dashboard.name, "description": dashboard.description, "width": dashboard.width}
        after = {
            "name": board["name"],
            "description": forms.unmarked(board.get("description"))[0] or dashboard.description,
            "width": board.get("width") or "fixed",
        }
        if after["name"] != before["name"]:
            document.change([], {"previous_names": before["name"]}, {"previous_names": after["name"]})
            former = [*dashboard.previous_names, dashboard.name]
            yamledit.put(document.data, "previous_names", former)
        document.change([], before, after)

        shown = {pair[3]["id"]: pair for pair in layout.pairs if pair[3] is not None}
        for dashcard in board.get("dashcards") or ():
            self._card_of(dashcard, dashboard.collection, document, parameters, board)
        tab_names = {tab["id"]: tab["name"] for tab in board.get("tabs") or []}
        items = self._items(dashboard)
        gone: list[tuple[int, int]] = []
        moved: list[tuple[int | None, Any]] = []
        for tab, number, sent, there in layout.pairs:
            steps = self._steps(dashboard, tab, number)
            if there is None:
                gone.append((tab, number))
                continue
            item = items[(tab, number)]
            old = self._item(dashboard, sent, wanted_parameters, item)
            new = self._item(dashboard, there, parameters, item)
            document.change(steps, old, new)
            if (there.get("dashboard_tab_id") or None) != (sent["dashboard_tab_id"] or None):
                moved.append((there.get("dashboard_tab_id"), document.at(steps)))
                gone.append((tab, number))
        for tab, number in sorted(gone, reverse=True):
            del document.at(self._steps(dashboard, tab, number)[:-1])[number]
        added = [
            (dashcard.get("dashboard_tab_id"), self._item(dashboard, dashcard, parameters, None))
            for dashcard in sorted(layout.left, key=lambda d: (d["row"], d["col"]))
            if dashcard["id"] not in shown
        ]
        self._merge_tabs(dashboard, document, tab_names, [*moved, *added], board)

        for key in {item.card for item in dashboard.items if item.card}:
            self._managed_card(self._spec.cards[key], board, parameters)

    def _merge_tabs(
        self,
        dashboard: Dashboard,
        document: Document,
        names: Mapping[int, str],
        added: Sequence[tuple[int | None, Any]],
        board: Mapping[str, Any],
    ) -> None:
        had_tabs = dashboard.tabs[0].name is not None
        if not names and not had_tabs:
            for _, item in added:
                document.data["layout"].append(yamledit.node(item))
            return
        if not had_tabs:
            layout = document.data.pop("layout")
            # Metabase puts what was there into the first tab
            first = next(iter(names.values()))
            document.data["tabs"] = yamledit.node([{"name": first, "layout": []}])
            document.data["tabs"][0]["layout"] = layout
        if not names:
            layout = [item for tab in document.data.pop("tabs") for item in tab["layout"]]
            document.data["layout"] = yamledit.node([*layout, *(item for _, item in added)])
            return
        tabs = document.data["tabs"]
        # renamed in its place: what the layout matched by it
        by_id = {tab["id"]: tab["name"] for tab in self._known.layout(dashboard).tabs}
        for tab in tabs:
            for id_, former in by_id.items():
                if tab["name"] == former and id_ in names and names[id_] != former:
                    tab["name"] = names[id_]
        wanted = list(names.values())
        for name in wanted:
            if name not in [tab["name"] for tab in tabs]:
                tabs.append(yamledit.node({"name": name, "layout": []}))
        for id_, item in added:
            target = next(tab for tab in tabs if tab["name"] == names.get(id_ or 0, wanted[0]))
            target["layout"].append(yamledit.node(item))
        for number in reversed(range(len(tabs))):
            if tabs[number]["name"] not in wanted or not tabs[number]["layout"]:
                if tabs[number]["name"] in wanted:
                    self.left_out.append(f"the empty tab {tabs[number]['name']!r} of {board['name']!r}")
                del tabs[number]
        kept = [name for name in wanted if name in [tab["name"] for tab in tabs]]
        if [tab["name"] for tab in tabs] != kept:
            tabs.sort(key=lambda tab: kept.index(tab["name"]))

    def _merge_filters(
        self,
        dashboard: Dashboard,
        document: Document,
        wanted: Sequence[Mapping[str, Any]],
        parameters: Sequence[Mapping[str, Any]],
    ) -> None:
        by_id = {parameter["id"]: parameter for parameter in parameters}
        slugs = {parameter["id"]: parameter["slug"] for parameter in wanted}
        for form in wanted:
            key = form["slug"]
            if form["id"] not in by_id:
                del document.data["filters"][key]
                continue
            column = next(item.column for item in dashboard.filters if item.key == key)
            old = self._filter(form, slugs, column)
            new = self._filter(by_id[form["id"]], slugs, column)
            document.change(["filters", key], old, new)
        for parameter in parameters:
            if parameter["id"] not in slugs:
                column = self._parameter_column(parameter, self._boards_cards(dashboard))
                into = yamledit.inside(document.data, "filters")
                into[self._slug(parameter)] = yamledit.node(self._filter(parameter, slugs, column))
        filters: Any = document.data.get("filters") or {}
        order = [slugs.get(parameter["id"], self._slug(parameter)) for parameter in parameters]
        if filters and list(filters) != order and set(filters) == set(order):
            for key in order:
                filters.move_to_end(key)
        if "filters" in document.data and not filters:
            del document.data["filters"]

    def _boards_cards(self, dashboard: Dashboard) -> Sequence[Mapping[str, Any]]:
        return self._state.dashboards[dashboard.key].get("dashcards") or []

    def _forget_unshown(self, keys: Sequence[str]) -> None:
        """Take the cards that now stand on no dashboard out of the files; Metabase keeps them."""
        data = {one.path: self._document(one.path).data for one in self._spec.dashboards}
        shown: set[str] = set()
        filters: list[Any] = []
        for content in data.values():
            layouts = [content.get("layout") or [], *(tab["layout"] for tab in content.get("tabs") or [])]
            for item in (item for layout in layouts for item in layout):
                shown |= {item.get("card"), *(item.get("series") or ())} - {None}
            filters += (content.get("filters") or {}).values()
            shown |= {alert["card"] for alert in content.get("alerts") or ()}
        shown |= {one["values"]["card"] for one in filters if isinstance(one.get("values"), Mapping)}
        for dashboard in self._spec.dashboards:
            for item in dashboard.items if dashboard.key in keys else ():
                card = self._spec.cards.get(item.card or "")
                if card is None or card.key in shown:
                    continue
                shown.add(card.key)
                del self._document(card.source[0]).data["cards"][card.key]
                for one in filters:
                    if ((one.get("preview") or {}).get("order") or {}).get("card") == card.key:
                        del one["preview"]["order"]
                self._texts.pop(card.sql.path, None)
                if not [o for o in self._spec.cards.values() if o.sql.path == card.sql.path and o != card]:
                    self._gone.append(card.sql.path)

    # --- dashboards that are new to the files

    def _new_dashboard(self, board: Mapping[str, Any]) -> None:
        key = self._board_keys[board["id"]]
        where = self._collection(board.get("collection_id"), board["name"])
        parameters = list(board.get("parameters") or [])
        dashcards = sorted(
            board.get("dashcards") or [],
            key=lambda d: (d.get("dashboard_tab_id") or 0, d["row"], d["col"]),
        )
        content: Raw = {
            "name": board["name"],
            "collection": where,
            "description": forms.unmarked(board.get("description"))[0]
            or f"{board['name']}: say here for whom it is.",
        }
        if not board.get("description"):
            self.left_out.append(f"a description of {board['name']!r}, which it has none of: say one")
        if board.get("width") == "full":
            content["width"] = "full"
        slugs = {parameter["id"]: self._slug(parameter) for parameter in parameters}
        filters = {}
        for parameter in parameters:
            column = self._parameter_column(parameter, dashcards)
            if column is None and parameter["type"] not in TAG_TYPES:
                self.left_out.append(
                    f"the filter {parameter['name']!r} of {board['name']!r}: its type {parameter['type']}"
                    " is of a column, and it is on none"
                )
                continue
            filters[slugs[parameter["id"]]] = self._filter(parameter, slugs, column)
        if filters:
            content["filters"] = filters
        content["cards"] = {}
        path = self._folder / "dashboards" / f"{key}.yml"
        document = self._documents[path] = Document.new(path, _HEAD)
        document.data.update(yamledit.node(content))
        kept = [parameter for parameter in parameters if slugs[parameter["id"]] in filters]
        for dashcard in dashcards:
            self._card_of(dashcard, where, document, kept, board)
        tabs = [(tab["id"], tab["name"]) for tab in board.get("tabs") or []]
        layouts = {
            tab: [
                self._item(None, dashcard, kept, None)
                for dashcard in dashcards
                if (dashcard.get("dashboard_tab_id") or None) == tab
            ]
            for tab in ([id_ for id_, _ in tabs] or [None])
        }
        for id_, name in tabs:
            if not layouts[id_]:
                self.left_out.append(f"the empty tab {name!r} of {board['name']!r}")
        if tabs:
            shown = [{"name": name, "layout": layouts[id_]} for id_, name in tabs if layouts[id_]]
            document.data["tabs"] = yamledit.node(shown)
        else:
            document.data["layout"] = yamledit.node(layouts[None])

    def _collection(self, id_: int | None, what: str) -> str:
        """The path of a collection, which comes into metabase.yml with those around it."""
        path = self._paths.get(id_)
        if not path:
            first = self._spec.collections[0].path
            kind = "no collection" if id_ is None else "a person's own collection"
            self.left_out.append(
                f"the place of {what!r}, which is in {kind}: an apply makes it anew in {first}"
            )
            return first
        project = self._document(self._folder / "metabase.yml")
        steps = path.split("/")
        for number in range(1, len(steps) + 1):
            part = "/".join(steps[:number])
            if part not in project.data["collections"]:
                raw = next(one for one in states.collections(self._client) if self._paths[one["id"]] == part)
                text = forms.unmarked(raw.get("description"))[0]
                project.data["collections"][part] = yamledit.node({"description": text} if text else {})
        return path

    # --- cards

    def _card_of(
        self,
        dashcard: Mapping[str, Any],
        where: str,
        document: Document,
        parameters: Sequence[Mapping[str, Any]],
        board: Mapping[str, Any],
    ) -> None:
        """Bring the cards of a place into a document, unless the files have them."""
        series = [card["id"] for card in dashcard.get("series") or ()]
        for id_ in [dashcard.get("card_id"), *series]:
            if id_ is None or id_ in self._card_keys:
                continue
            answer = self._client.request("GET", f"/api/card/{id_}")
            name = self._take_key(answer)
            raw = self._new_card(answer, name, parameters, board.get("dashcards") or [])
            own = self._collection(answer.get("collection_id"), answer["name"])
            default = document.data.get("cards_in") or document.data.get("collection") or where
            if own != default:
                raw = {"name": raw.pop("name"), "collection": own, **raw}
            yamledit.inside(document.data, "cards")[name] = yamledit.node(raw)

    def _lone_card(self, id_: int) -> None:
        if id_ in self._card_keys:
            return
        answer = self._client.request("GET", f"/api/card/{id_}")
        name = self._take_key(answer)
        raw = self._new_card(answer, name, [], [])
        where = self._collection(answer.get("collection_id"), answer["name"])
        project = self._document(self._folder / "metabase.yml")
        raw = {"name": raw.pop("name"), "collection": where, **raw}
        yamledit.inside(project.data, "cards")[name] = yamledit.node(raw)

    def _take_key(self, answer: Mapping[str, Any]) -> str:
        files = {path.stem for path in (self._folder / "cards").glob("*.sql")}
        name = _key(answer["name"], {*self._spec.cards, *self._card_keys.values(), *files})
        self._card_keys[answer["id"]] = name
        return name

    def _new_card(
        self,
        answer: Mapping[str, Any],
        key: str,
        parameters: Sequence[Mapping[str, Any]],
        dashcards: Sequence[Mapping[str, Any]],
    ) -> Raw:
        form = forms.card_answer_form(answer)
        sql = form["dataset_query"]["sql"]
        if sql is None:
            asked = self._client.request(
                "POST", "/api/dataset/native", json=answer["dataset_query"], reads=True
            )
            sql = asked.get("query")
            if not isinstance(sql, str):
                raise DashboardError(f"Metabase gives no SQL for the question {answer['name']!r}")
            self.left_out.append(
                f"the question {answer['name']!r} was built without SQL: its filters are not in it, and an"
                " apply makes it one of SQL"
            )
        self._texts[self._folder / "cards" / f"{key}.sql"] = self._with_refs(sql).rstrip() + "\n"
        known = {parameter["id"] for parameter in parameters}
        filled = {
            entry["target"][1][1]
            for dashcard in dashcards
            if dashcard.get("card_id") == answer["id"]
            for entry in dashcard.get("parameter_mappings") or ()
            if _is_tag(entry["target"]) and entry["parameter_id"] in known
        }
        return self._card_data(form, filled)

    def _managed_card(
        self, card: Card, board: Mapping[str, Any], parameters: Sequence[Mapping[str, Any]]
    ) -> None:
        found = self._state.cards.get(card.key)
        if found is None:
            return
        wanted, there = self._known.card_form(card, found), forms.card_answer_form(found)
        filled = {tag.key for tag in card.tags if tag.of_filter}
        document = self._document(card.source[0])
        old, new = self._card_data(wanted, filled), self._card_data(there, filled)
        document.change(["cards", card.key], old, new)
        if old["name"] != new["name"]:
            former = [*card.previous_names, card.name]
            yamledit.put(document.data["cards"][card.key], "previous_names", former)
        sql = there["dataset_query"]["sql"]
        if sql is None:
            self.left_out.append(
                f"the question {card.name!r} has been built anew without SQL: an apply undoes it"
            )
        elif self._with_refs(sql) != self._with_refs(wanted["dataset_query"]["sql"]):
            self._change_sql(card, wanted["dataset_query"]["sql"], sql, document)

    def _change_sql(self, card: Card, before: str, after: str, document: Document) -> None:
        """Put changed lines into the card's file; a snippet that they are of is put in whole."""
        path = card.sql.path
        shared = [other.key for other in self._spec.cards.values() if other.sql.path == path]
        own = path.read_text(encoding="utf-8").rstrip("\n").split("\n")
        # which of the file's lines each line of the whole comes from
        at = _own_lines(card, own)
        old, new = before.split("\n"), after.rstrip().split("\n")
        written = card.sql.text.split("\n")
        pieces: list[tuple[int | None, list[str]]] = [(number, [line]) for number, line in enumerate(own)]
        expanded = {number: [i for i, of in enumerate(at) if of == number] for number in range(len(own))}
        changed: set[int] = set()
        inserts: dict[int, list[str]] = {}
        replaced: dict[int, list[str]] = {}
        for kind, i, j, k, end in difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
            if kind == "equal":
                continue
            lines = [self._with_refs(line) for line in new[k:end]]
            if i == j:
                inserts[i] = lines
            for number in range(i, j):
                replaced[number] = lines if number == i else []
            changed |= {at[number] for number in range(i, max(j, min(i + 1, len(at))))}
        result: list[str] = []
        for number, (_, lines) in enumerate(pieces):
            inside = expanded[number]
            if number not in changed and not any(i in inserts for i in inside):
                result += lines
                continue
            for i in inside:
                result += inserts.get(i, [])
                result += replaced[i] if i in replaced else [written[i] if len(inside) > 1 else lines[0]]
        result += inserts.get(len(at), [])
        target = path
        if len(shared) > 1:
            name = card.key if f"{card.key}.sql" != path.name else f"{card.key}_own"
            target = self._folder / "cards" / f"{name}.sql"
            if name == card.key:
                document.data["cards"][card.key].pop("sql", None)
            else:
                yamledit.put(document.data["cards"][card.key], "sql", f"{name}.sql")
        self._texts[target] = "\n".join(result).rstrip() + "\n"

    def _card_data(self, form: Mapping[str, Any], filled: set[str]) -> Raw:
        """A card as a file has it, without its SQL."""
        raw: Raw = {"name": form["name"]}
        description = forms.unmarked(form["description"])[0]
        if description:
            raw["description"] = description
        raw["display"] = form["display"]
        raw |= _settings(form["visualization_settings"], "settings")
        tags: Raw = {}
        for name, tag in form["dataset_query"]["tags"].items():
            if name in filled:
                continue
            if tag["type"] not in _VARIABLES:
                self.left_out.append(
                    f"{{{{{name}}}}} of {form['name']!r}: a tag of type {tag['type']} needs a filter here"
                )
                continue
            tags[name] = {"type": tag["type"], "name": tag.get("display-name") or name}
            if tag.get("default") is not None:
                tags[name]["default"] = tag["default"]
        if tags:
            raw["tags"] = tags
        return raw

    def _with_refs(self, sql: str) -> str:
        """SQL with models in place of the tables' names."""
        return self._manifest.rewritten(sql, lambda model: f"{{{{ ref('{model.name}') }}}}")

    # --- places and filters

    def _item(
        self,
        dashboard: Dashboard | None,
        dashcard: Mapping[str, Any],
        parameters: Sequence[Mapping[str, Any]],
        before: Item | None,
    ) -> Raw:
        """A place as a file has it."""
        settings = dict(forms.plain_settings(dashcard.get("visualization_settings") or {}))
        place = {
            "row": dashcard["row"],
            "col": dashcard["col"],
            "width": dashcard["size_x"],
            "height": dashcard["size_y"],
        }
        if dashcard.get("card_id") is None:
            kind = forms.virtual_kind(dashcard)
            if kind not in forms.VIRTUAL_KINDS:
                return {"virtual": dict(dashcard.get("visualization_settings") or {}), "at": place}
            settings.pop("virtual_card", None)
            return {str(kind): settings.pop("text", ""), "at": place, **_settings(settings, "place_settings")}
        raw: Raw = {"card": self._card_keys.get(dashcard["card_id"], dashcard["card_id"]), "at": place}
        if settings.get("card.title"):
            raw["title"] = settings.pop("card.title")
        clicks = self._clicks(settings, parameters)
        if clicks:
            raw["click"] = clicks
        raw |= _settings(settings, "place_settings")
        slugs = {parameter["id"]: self._slug(parameter) for parameter in parameters}
        mapping = {}
        for entry in dashcard.get("parameter_mappings") or ():
            if entry["parameter_id"] not in slugs:
                continue
            if not _is_tag(entry["target"]):
                self.left_out.append(
                    f"the filter {slugs[entry['parameter_id']]!r} on {raw['card']!r}: only those of tags"
                )
                continue
            mapping[slugs[entry["parameter_id"]]] = entry["target"][1][1]
        tags = self._tags(dashcard["card_id"])
        filters: Raw = {slug: tag for slug, tag in mapping.items() if tag != slug}
        # a tag of the filter's name that it does not fill: kept off
        filters |= {slug: None for slug in slugs.values() if slug in tags and slug not in mapping}
        if filters:
            raw["filters"] = filters
        if dashcard.get("series"):
            raw["series"] = [self._card_keys.get(card["id"], card["id"]) for card in dashcard["series"]]
        return raw

    def _tags(self, card: int) -> set[str]:
        key = self._card_keys.get(card, "")
        if key in self._spec.cards:
            return {tag.key for tag in self._spec.cards[key].tags}
        text = self._texts.get(self._folder / "cards" / f"{key}.sql", "")
        return set(re.findall(r"\{\{\s*([a-z][a-z0-9_]*)\s*\}\}", text))

    def _clicks(self, settings: Raw, parameters: Sequence[Mapping[str, Any]]) -> Raw:
        """`click` for what Metabase has as click_behavior, which is taken out of the settings."""
        slugs = {parameter["id"]: self._slug(parameter) for parameter in parameters}
        whole = self._click(settings.get("click_behavior"), slugs)
        if whole:
            del settings["click_behavior"]
            return whole
        columns: Raw = {}
        for key, value in list((settings.get("column_settings") or {}).items()):
            name = forms.column_name(key)
            click = self._click(value.get("click_behavior"), slugs)
            if name is not None and click:
                columns[name] = click
                rest = {k: v for k, v in value.items() if k != "click_behavior"}
                settings["column_settings"] = {**settings["column_settings"], key: rest}
                if not rest:
                    del settings["column_settings"][key]
        if "column_settings" in settings and not settings["column_settings"]:
            del settings["column_settings"]
        return {"columns": columns} if columns else {}

    def _click(self, behaviour: Any, slugs: Mapping[str, str]) -> Raw | None:
        """None for one that these files can't say: it stays in the settings, as Metabase has it."""
        if not isinstance(behaviour, Mapping):
            return None
        if behaviour.get("linkType") == "url":
            return {"url": behaviour["linkTemplate"]} if behaviour.get("linkTemplate") else None
        raw: Raw = {}
        if behaviour.get("linkType") == "dashboard":
            target: Any = behaviour.get("targetId")
            if target not in self._board_keys:
                return None
            raw["dashboard"] = self._board_keys[target]
            board = self._board(target)
            slugs = {parameter["id"]: self._slug(parameter) for parameter in board.get("parameters") or ()}
            if behaviour.get("tabId") is not None:
                tabs = {tab["id"]: tab["name"] for tab in board.get("tabs") or ()}
                if behaviour["tabId"] not in tabs:
                    return None
                raw["tab"] = tabs[behaviour["tabId"]]
        elif behaviour.get("type") != "crossfilter":
            return None
        sets = {}
        for id_, entry in (behaviour.get("parameterMapping") or {}).items():
            source = entry.get("source") or {}
            if source.get("type") != "column" or id_ not in slugs:
                return None
            sets[slugs[id_]] = source["id"]
        if sets:
            raw["set"] = sets
        return raw or None

    def _filter(self, parameter: Mapping[str, Any], slugs: Mapping[str, str], column: Column | None) -> Raw:
        form = forms.parameter_answer_form(parameter)
        raw: Raw = {"name": form["name"], "type": form["type"]}
        if column:
            raw["column"] = str(column)
        single = form["type"].startswith("date/") or form["type"] in (
            "number/between",
            "number/>=",
            "number/<=",
        )
        if column and not form["isMultiSelect"] and not single:
            raw["multiple"] = False
        default = form.get("default")
        if isinstance(default, list) and len(default) == 1:
            default = default[0]
        if default is not None:
            raw["default"] = default
        if form.get("required"):
            raw["required"] = True
        config = form.get("values_source_config") or {}
        if form.get("values_source_type") == "static-list":
            raw["values"] = [
                value[0] if isinstance(value, list) else value for value in config.get("values", [])
            ]
        elif form.get("values_source_type") == "card":
            key = self._card_keys.get(config.get("card_id"))
            if key is None:
                self.left_out.append(
                    f"the values of the filter {form['name']!r}, from card {config.get('card_id')}, which is"
                    " in no file: export its collection first"
                )
            else:
                raw["values"] = {"card": key, "column": config.get("value_field")}
        if form.get("values_query_type") == "search":
            raw["search"] = True
        if form.get("filteringParameters"):
            raw["linked"] = [slugs[id_] for id_ in form["filteringParameters"] if id_ in slugs]
        return raw

    def _parameter_column(
        self, parameter: Mapping[str, Any], dashcards: Sequence[Mapping[str, Any]]
    ) -> Column | None:
        """The column that a filter is on: that of the tags that it fills."""
        found: set[Column] = set()
        for dashcard in dashcards:
            for entry in dashcard.get("parameter_mappings") or ():
                if entry["parameter_id"] == parameter["id"] and _is_tag(entry["target"]):
                    query = forms.read_query((dashcard.get("card") or {}).get("dataset_query") or {})
                    tag = query.tags.get(entry["target"][1][1]) or {}
                    column = self._fields.get(tag.get("dimension"))
                    if tag.get("type") == FIELD and column:
                        found.add(column)
        if len(found) > 1:
            names = ", ".join(sorted(map(str, found)))
            self.left_out.append(
                f"the filter {parameter['name']!r} is on several columns ({names}): one here"
            )
        return min(found, key=str) if found else None

    def _columns(self) -> dict[Any, Column]:
        """Columns of the models by Metabase's id."""
        if not self._state.database:
            return {}
        path = f"/api/database/{self._state.database['id']}/metadata"
        content = self._client.request("GET", path, params={"include_hidden": "true"})
        models = {model.relation: name for name, model in self._manifest.models.items()}
        return {
            field["id"]: Column(models[f"{table.get('schema')}.{table['name']}"], field["name"])
            for table in content["tables"]
            if f"{table.get('schema')}.{table['name']}" in models
            for field in table.get("fields", ())
        }

    # --- small things

    def _slug(self, parameter: Mapping[str, Any]) -> str:
        return _key(parameter.get("slug") or parameter["name"], ())

    def _ids(self) -> dict[str, int | str]:
        return {key: id_ for id_, key in self._card_keys.items()} | {
            key: f"<{key}>" for key in self._spec.cards if key not in self._card_keys.values()
        }

    def _document(self, path: Path) -> Document:
        if path not in self._documents:
            self._documents[path] = Document.read(path)
        return self._documents[path]

    @staticmethod
    def _items(dashboard: Dashboard) -> dict[tuple[int, int], Item]:
        return {
            (tab, number): item
            for tab, layout in enumerate(dashboard.tabs)
            for number, item in enumerate(layout.items)
        }

    @staticmethod
    def _steps(dashboard: Dashboard, tab: int, number: int) -> list[str | int]:
        return ["layout", number] if dashboard.tabs[0].name is None else ["tabs", tab, "layout", number]


def _own_lines(card: Card, own: Sequence[str]) -> list[int]:
    """For each line of a card's whole SQL, the line of its own file that it comes from."""
    at: list[int] = []
    number = -1
    inside = False
    for path, line in card.sql.origin:
        if path == card.sql.path:
            number, inside = line - 1, False
        elif not inside:
            # the first line of what is included stands where the file names it
            number, inside = next(n for n in range(number + 1, len(own)) if "include(" in own[n]), True
        elif line == 1 and path == card.sql.origin[len(at) - 1][0]:
            number = next((n for n in range(number + 1, len(own)) if "include(" in own[n]), number)
        at.append(number)
    return at


def _settings(settings: Mapping[str, Any], kind: str) -> Raw:
    """`settings`, `columns` and, for what the schema does not know, `other_settings`."""
    definitions = schema()["$defs"]
    known = {*definitions["known_settings"]["properties"], *definitions[kind].get("properties", ())}
    words = set(definitions["column_settings"]["properties"])
    plain: Raw = {}
    other: Raw = {}
    columns: Raw = {}
    for key, value in settings.items():
        if key != "column_settings":
            (plain if key in known else other)[key] = value
            continue
        for column, own in value.items():
            name = forms.column_name(column)
            mine = {word: one for word, one in own.items() if name is not None and word in words}
            if name is not None and mine:
                columns[name] = mine
            rest = {word: one for word, one in own.items() if word not in mine}
            if rest:
                other.setdefault("column_settings", {})[column if name is None else column_key(name)] = rest
    raw: Raw = {}
    if plain:
        raw["settings"] = plain
    if columns and kind == "settings":
        raw["columns"] = columns
    elif columns:
        raw.setdefault("settings", {})["column_settings"] = {
            column_key(name): value for name, value in columns.items()
        }
    if other:
        raw["other_settings"] = other
    return raw


def _paths(client: Client) -> dict[int | None, str]:
    """Paths of the collections by id; that of no collection is empty."""
    raws = {raw["id"]: raw for raw in states.collections(client)}
    paths: dict[int | None, str] = {None: ""}
    for id_, raw in raws.items():
        steps = [int(step) for step in str(raw.get("location") or "/").split("/") if step]
        if all(step in raws for step in steps):
            paths[id_] = "/".join([*(raws[step]["name"] for step in steps), raw["name"]])
    return paths


def _is_tag(target: Any) -> bool:
    return (
        isinstance(target, list)
        and len(target) > 1
        and isinstance(target[1], list)
        and target[1][:1] == ["template-tag"]
    )


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
