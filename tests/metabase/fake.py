"""A strict stand-in for Metabase's API, by the contract of its sources: the nearest thing to a live one.

It enforces required keys, forgets what POST ignores, answers 404 on removed routes, makes a dashcard of an
unknown id, deletes one left out, insists on tabs, echoes MBQL 5 with fresh ids and template tags as
a map or a list by version, counts revisions, and runs the cards' SQL on the real PostgreSQL as the
connection's role.
"""

import asyncio
import copy
import json
import threading
import uuid
from collections.abc import Callable, Mapping
from typing import Any

from aiohttp import web

from tests.metabase import native
from tests.metabase.openapi import OpenApi

Body = dict[str, Any]


class Refused(Exception):
    """An answer that is no 2xx: text, or JSON for a dict."""

    def __init__(self, status: int, body: str | Body) -> None:
        self.status, self.body = status, body
        super().__init__(status, body)


def missing(**errors: str) -> Refused:
    """400 for a body that breaks the schema."""
    return Refused(400, {"errors": errors, "specific-errors": {key: [text] for key, text in errors.items()}})


class FakeMetabase:
    """One server. What a test may set is public; `log` has every request (method, path, body)."""

    def __init__(
        self, version: int = 64, openapi: OpenApi | None = None, setup_token: str = "the-setup-token"
    ) -> None:
        self.version = version
        self.openapi = openapi
        self.setup_token = setup_token
        self.log: list[tuple[str, str, Any]] = []
        self.violations: list[str] = []
        self.booting = 0
        """How many requests are still answered with 503."""
        self.delay = 0.0
        self.fault: Callable[[str, str], Refused | None] = lambda method, path: None
        """Asked before each request is handled."""
        self.after: Callable[[str, str], Refused | None] = lambda method, path: None
        """Asked when it was handled: the answer is lost."""
        self.database_password: str | None = None
        """What the warehouse takes; None: anything."""
        self.syncs = True
        self.adds: dict[str, Body] = {}
        """Keys that answers have beside what was sent, by kind: parameter, tag, dashcard, card, dashboard."""
        self.drops: dict[str, set[str]] = {}
        """Keys that are not kept of what was sent, by kind."""
        self.groups = {1: "All Users", 2: "Administrators"}
        self.permissions: dict[str, dict[str, str]] = {"2": {}}
        self.graph_revision = 0
        self.pulses: dict[int, Body] = {}
        self.notifications: dict[int, Body] = {}
        self.superuser = True
        self.users: dict[str, str] = {}
        self.sessions: set[str] = set()
        self.api_keys: set[str] = set()
        self.databases: dict[int, Body] = {}
        self.tables: dict[int, Body] = {}
        self.fields: dict[int, Body] = {}
        self.collections: dict[int, Body] = {}
        self.cards: dict[int, Body] = {}
        self.dashboards: dict[int, Body] = {}
        self.revisions: dict[tuple[str, int], int] = {}
        self._next = 0
        self._loop = asyncio.new_event_loop()
        self._started = threading.Event()
        self.port = 0

    # --- running

    def __enter__(self) -> "FakeMetabase":
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()
        assert self._started.wait(10)
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)

    @property
    def url(self) -> str:
        """Root of the API."""
        return f"http://127.0.0.1:{self.port}"

    def _serve(self) -> None:
        asyncio.set_event_loop(self._loop)
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._handle)
        runner = web.AppRunner(app, shutdown_timeout=0.1)
        self._loop.run_until_complete(runner.setup())
        site = web.TCPSite(runner, "127.0.0.1", 0)
        self._loop.run_until_complete(site.start())
        self.port = runner.addresses[0][1]
        self._started.set()
        self._loop.run_forever()
        self._loop.run_until_complete(runner.cleanup())
        self._loop.close()

    # --- what tests ask

    @property
    def writes(self) -> list[tuple[str, str]]:
        """The requests that change something: no reads, queries or logins."""
        reading = ("/query", "/api/session", "/api/dataset/native")
        return [(m, p) for m, p, _ in self.log if m != "GET" and not p.endswith(reading)]

    def forget(self) -> None:
        """Begin a new log."""
        self.log.clear()

    def named(self, kind: str, name: str) -> Body:
        """The one card, dashboard or collection of a name that is not archived."""
        found = [o for o in getattr(self, f"{kind}s").values() if o["name"] == name and not o["archived"]]
        assert len(found) == 1, (kind, name, len(found))
        return copy.deepcopy(found[0])

    # --- one request

    async def _handle(self, request: web.Request) -> web.Response:
        method, path = request.method, request.path
        text = await request.text()
        if self.delay:
            await asyncio.sleep(self.delay)
        try:
            body = json.loads(text) if text else None
            self.log.append((method, path, body))
            if self.openapi:
                self.violations += self.openapi.problems(method, path, body)
            refused = self.fault(method, path)
            if refused:
                raise refused
            status, answer = self._route(request, method, path, body)
            refused = self.after(method, path)
            if refused:
                raise refused
        except Refused as error:
            if isinstance(error.body, str):
                return web.Response(status=error.status, text=error.body)
            return web.json_response(error.body, status=error.status)
        if answer is None:
            return web.Response(status=204)
        return web.json_response(answer, status=status)

    def _route(self, request: web.Request, method: str, path: str, body: Any) -> tuple[int, Any]:
        if path == "/api/health":
            if self.booting:
                self.booting -= 1
                raise Refused(503, {"status": "initializing", "progress": 0.3})
            return 200, {"status": "ok"}
        if self.booting:
            self.booting -= 1
            raise Refused(503, "Metabase is still initializing. Please sit tight...")
        steps = path.removeprefix("/api/").rstrip("/").split("/")
        public = {("GET", "session/properties"), ("POST", "setup"), ("POST", "session")}
        if (method, "/".join(steps)) not in public:
            self._authenticate(request)
        name = "_".join([method.lower(), *(step.replace("-", "_") for step in steps if not _is_id(step))])
        handler = getattr(self, name, None)
        # a trailing slash is allowed on a root, not after an id
        if handler is None or (path.endswith("/") and _is_id(steps[-1])):
            raise Refused(404, "API endpoint does not exist.")
        ids = [step if step == "root" else int(step) for step in steps if _is_id(step)]
        answer = handler(*ids, **({"body": body} if method in ("POST", "PUT") else {"query": request.query}))
        return (202 if steps[-1] == "query" else 200), answer

    def _authenticate(self, request: web.Request) -> None:
        session, key = request.headers.get("X-Metabase-Session"), request.headers.get("X-API-KEY")
        if session not in self.sessions and key not in self.api_keys:
            raise Refused(401, "Unauthenticated")

    def _id(self) -> int:
        self._next += 1
        return self._next

    # --- first run and signing in

    def get_session_properties(self, query: Any) -> Body:
        return {
            "has-user-setup": bool(self.users),
            "setup-token": None if self.users else self.setup_token,
            "version": {"tag": f"v0.{self.version}.6", "date": "2026-11-10", "hash": "abc"},
        }

    def post_setup(self, body: Any) -> Body:
        if self.users and self.version < 59:
            raise Refused(403, "The /api/setup route can only be used to create the first user.")
        if not isinstance(body.get("prefs"), dict) or not body["prefs"].get("site_name"):
            raise missing(site_name="value must be a non-blank string.")
        # newer versions use the token up
        if self.users or body.get("token") != self.setup_token:
            raise missing(token="Token does not match the setup token.")
        user = body.get("user") or {}
        if "@" not in str(user.get("email")):
            raise missing(email="value must be a valid email address.")
        if not _is_good_password(user.get("password")):
            raise missing(password="password is too common.")
        self.users[user["email"]] = user["password"]
        return self._session()

    def post_session(self, body: Any) -> Body:
        if not body.get("username") or not body.get("password"):
            raise missing(username="value must be a non-blank string.")
        if self.users.get(body["username"]) != body["password"]:
            raise Refused(401, {"errors": {"password": "did not match stored password"}})
        return self._session()

    def _session(self) -> Body:
        session = str(uuid.uuid4())
        self.sessions.add(session)
        return {"id": session}

    def get_user_current(self, query: Any) -> Body:
        return {"id": 1, "is_superuser": self.superuser}

    # --- databases

    def get_database(self, *ids: int, query: Any) -> Body:
        if ids:
            return _shown_database(_of(self.databases, ids[0]))
        return {"data": [_shown_database(d) for d in self.databases.values()], "total": len(self.databases)}

    def post_database(self, body: Any) -> Body:
        for key in ("name", "engine"):
            _non_blank(body, key, required=True)
        if not isinstance(body.get("details"), dict):
            raise missing(details="value must be a map.")
        self._can_connect(body["details"])
        database = {
            "id": self._id(),
            "name": body["name"],
            "engine": body["engine"],
            # it tries SSL first and keeps what worked, beside settings of its own
            "details": {**body["details"], "ssl": True, "tunnel-enabled": False},
            "is_sample": False,
            "initial_sync_status": "incomplete",
            # it begins to look by itself
            "sync_after": 1,
        }
        self.databases[database["id"]] = database
        return _shown_database(database)

    def put_database(self, id_: int, body: Any) -> Body:
        database = _of(self.databases, id_)
        if "details" in body:
            details = dict(body["details"])
            if details.get("password") == "**MetabasePass**":
                details["password"] = database["details"].get("password")
            self._can_connect(details)
            database["details"] = details
        database |= {key: body[key] for key in ("name", "engine") if key in body}
        return _shown_database(database)

    def _can_connect(self, details: Mapping[str, Any]) -> None:
        if not self._connects(details):
            raise Refused(
                400,
                {
                    "message": "Looks like the username or password is incorrect.",
                    "errors": {"password": "check"},
                },
            )

    def _connects(self, details: Mapping[str, Any]) -> bool:
        return self.database_password is None or details.get("password") == self.database_password

    def get_database_healthcheck(self, id_: int, query: Any) -> Body:
        healthy = self._connects(_of(self.databases, id_)["details"])
        return (
            {"status": "ok"} if healthy else {"status": "error", "message": "password authentication failed"}
        )

    def post_database_sync_schema(self, id_: int, body: Any) -> Body:
        database = _of(self.databases, id_)
        if not self._connects(database["details"]):
            raise Refused(422, "cannot connect")
        database["initial_sync_status"] = "incomplete"
        # asynchronous: the first look after it does not see the tables
        database["sync_after"] = 1
        return {"status": "ok"}

    def get_database_metadata(self, id_: int, query: Any) -> Body:
        database = _of(self.databases, id_)
        if database.get("sync_after") == 0 and self.syncs:
            self._sync(database)
        if database.get("sync_after"):
            database["sync_after"] -= 1
        shown = _shown_database(database)
        shown["tables"] = [
            {**table, "fields": [f for f in self.fields.values() if f["table_id"] == table["id"]]}
            for table in self.tables.values()
            if table["db_id"] == id_
        ]
        return shown

    def _sync(self, database: Body) -> None:
        known = {
            (t["schema"], t["name"]): t["id"] for t in self.tables.values() if t["db_id"] == database["id"]
        }
        for schema, name, columns in native.tables(database["details"]):
            table = known.get((schema, name))
            if table is None:
                table = self._id()
                self.tables[table] = {
                    **{"id": table, "db_id": database["id"], "schema": schema, "name": name},
                    **{"display_name": _humanised(name), "description": None, "visibility_type": None},
                    **{
                        "caveats": None,
                        "points_of_interest": None,
                        "active": True,
                        "field_order": "database",
                    },
                    "db": _shown_database(database),
                }
            names = {f["name"] for f in self.fields.values() if f["table_id"] == table}
            for column, kind in columns:
                if column not in names:
                    field = self._id()
                    self.fields[field] = {
                        **{
                            "id": field,
                            "table_id": table,
                            "name": column,
                            "display_name": _humanised(column),
                        },
                        **{"description": None, "semantic_type": None, "fk_target_field_id": None},
                        **{
                            "visibility_type": "normal",
                            "has_field_values": "none",
                            "coercion_strategy": None,
                        },
                        **{"settings": None, "database_type": kind, "active": True},
                    }
        database["initial_sync_status"] = "complete"

    def put_table(self, id_: int, body: Any) -> Body:
        table = _of(self.tables, id_)
        _non_blank(body, "display_name")
        table |= {key: value for key, value in body.items() if key in table}
        return table

    def put_field(self, id_: int, body: Any) -> Body:
        field = _of(self.fields, id_)
        for key in ("display_name", "description"):
            _non_blank(body, key)
        field |= {key: value for key, value in body.items() if key in field}
        if field["semantic_type"] != "type/FK":
            field["fk_target_field_id"] = None
        elif field["fk_target_field_id"] and field["fk_target_field_id"] not in self.fields:
            raise missing(fk_target_field_id="no such field")
        return field

    # --- collections

    def get_collection(self, *ids: int, query: Any) -> Any:
        if ids:
            return _of(self.collections, ids[0])
        archived = query.get("archived") == "true"
        own = [c for c in self.collections.values() if c["archived"] == archived]
        trash = {"id": 999_999, "name": "Trash", "type": "trash", "location": "/", "archived": False}
        personal = {
            "id": 999_998,
            "name": "Ada's Personal Collection",
            "location": "/",
            "personal_owner_id": 1,
        }
        return [{"id": "root", "name": "Our analytics"}, {**personal, "archived": False}, trash, *own]

    def post_collection(self, body: Any) -> Body:
        _non_blank(body, "name", required=True)
        _non_blank(body, "description")
        location = "/"
        if body.get("parent_id") is not None:
            parent = _of(self.collections, body["parent_id"])
            location = f"{parent['location']}{parent['id']}/"
        collection = {
            **{"id": self._id(), "name": body["name"], "description": body.get("description")},
            **{"location": location, "archived": False, "entity_id": _nano(), "can_write": True},
        }
        self.collections[collection["id"]] = collection
        # as the collection around it, else what new ones have
        for group in map(str, self.groups):
            known = self.permissions.setdefault(group, {})
            known[str(collection["id"])] = known.get(str(body.get("parent_id")), "write")
        return collection

    def get_permissions_group(self, query: Any) -> list[Body]:
        return [{"id": id_, "name": name, "member_count": 1} for id_, name in self.groups.items()]

    def get_collection_graph(self, query: Any) -> Body:
        # newer versions leave "none" out
        groups = {
            group: {id_: kind for id_, kind in own.items() if kind != "none" or self.version < 56}
            for group, own in self.permissions.items()
        }
        return {"revision": self.graph_revision, "groups": groups}

    def put_collection_graph(self, body: Any) -> Body:
        if body.get("revision") != self.graph_revision:
            raise Refused(409, "Looks like someone else edited the permissions and your data is out of date.")
        for group, own in body["groups"].items():
            if int(group) not in self.groups or not set(own.values()) <= {"read", "write", "none"}:
                raise missing(groups="value must be a valid graph")
            self.permissions.setdefault(group, {}).update(own)
        self.graph_revision += 1
        return self.get_collection_graph(None)

    # --- subscriptions and alerts

    def get_pulse(self, *ids: int, query: Any) -> Any:
        wanted = int(query.get("dashboard_id", 0))
        return [p for p in self.pulses.values() if not wanted or p["dashboard_id"] == wanted]

    def post_pulse(self, body: Any) -> Body:
        return self._put_pulse(self._id(), body)

    def put_pulse(self, id_: int, body: Any) -> Body:
        _of(self.pulses, id_)
        return self._put_pulse(id_, body)

    def _put_pulse(self, id_: int, body: Any) -> Body:
        _non_blank(body, "name", required=True)
        if not body.get("cards") or not body.get("channels"):
            raise missing(cards="value must be an array.")
        dashboard = _of(self.dashboards, body["dashboard_id"])
        places = {d["id"]: d["card_id"] for d in dashboard["dashcards"]}
        for card in body["cards"]:
            if places.get(card["dashboard_card_id"]) != card["id"]:
                raise Refused(404, "Not found.")
        recipients = [
            # one of its own users is answered whole
            {**one, **({"id": 1, "common_name": "Ada"} if one["email"] in self.users else {})}
            for one in body["channels"][0]["recipients"]
        ]
        channel = {**body["channels"][0], "recipients": recipients, "id": 1}
        defaults = {"skip_if_empty": False, "parameters": [], "archived": False}
        self.pulses[id_] = {**defaults, **body, "channels": [channel], "id": id_, "creator_id": 1}
        return copy.deepcopy(self.pulses[id_])

    def get_notification(self, *ids: int, query: Any) -> Any:
        wanted = int(query.get("card_id", 0))
        return [n for n in self.notifications.values() if not wanted or n["payload"]["card_id"] == wanted]

    def post_notification(self, body: Any) -> Body:
        return self._put_notification(self._id(), body)

    def put_notification(self, id_: int, body: Any) -> Body:
        _of(self.notifications, id_)
        return self._put_notification(id_, body)

    def _put_notification(self, id_: int, body: Any) -> Body:
        _of(self.cards, body["payload"]["card_id"])
        self.notifications[id_] = {**copy.deepcopy(body), "id": id_, "creator_id": 1, "active": True}
        return copy.deepcopy(self.notifications[id_])

    def put_collection(self, id_: int, body: Any) -> Body:
        collection = _of(self.collections, id_)
        _non_blank(body, "name")
        self._revise("collection", id_)
        collection |= {key: body[key] for key in ("name", "description", "archived") if key in body}
        if body.get("archived"):
            # with all that is in it
            within = f"/{id_}/"
            inner = [c for c in self.collections.values() if within in f"{c['location']}{c['id']}/"]
            ids = {c["id"] for c in inner}
            for thing in [*inner, *self.cards.values(), *self.dashboards.values()]:
                thing["archived"] |= thing.get("collection_id", thing["id"]) in ids
        return collection

    def get_collection_items(self, id_: int | str, query: Any) -> Body:
        if id_ != "root":
            _of(self.collections, int(id_))
        within = None if id_ == "root" else id_
        models = query.getall("models", ["card", "dashboard", "collection"])
        items = []
        for model, objects in (("card", self.cards), ("dashboard", self.dashboards)):
            for thing in objects.values():
                if model in models and thing["collection_id"] == within and not thing["archived"]:
                    shown = ("id", "name", "description", "collection_position")
                    items.append({"model": model, **{key: thing.get(key) for key in shown}})
        # in no particular order
        items.sort(key=lambda item: (item["name"], -item["id"]))
        limit, offset = int(query.get("limit", 50)), int(query.get("offset", 0))
        return {"total": len(items), "data": items[offset : offset + limit], "models": models}

    # --- cards

    def post_card(self, body: Any) -> Body:
        for key in ("name", "display"):
            _non_blank(body, key, required=True)
        for key in ("dataset_query", "visualization_settings"):
            if not isinstance(body.get(key), dict):
                raise missing(**{key: "value must be a map."})
        _non_blank(body, "description")
        if body.get("collection_id") is not None:
            _of(self.collections, body["collection_id"])
        if not body["dataset_query"]:
            raise Refused(500, {"message": "NULL not allowed for column DATASET_QUERY"})
        card = {
            # entity_id and result_metadata of the body are ignored
            **{"id": self._id(), "entity_id": _nano(), "archived": False, "result_metadata": None},
            **{"name": body["name"], "display": body["display"], "type": body.get("type", "question")},
            **{"description": body.get("description"), "collection_id": body.get("collection_id")},
            **{"collection_position": body.get("collection_position")},
            **{"visualization_settings": body["visualization_settings"], "parameters": []},
            **{"parameter_mappings": [], "cache_ttl": None, "enable_embedding": False, "view_count": 0},
            "dataset_query": self._stored(body["dataset_query"]),
        }
        self.cards[card["id"]] = card
        return self._shown_card(card)

    def put_card(self, id_: int, body: Any) -> Body:
        card = _of(self.cards, id_)
        for key in ("name", "display"):
            _non_blank(body, key)
        self._revise("card", id_)
        keys = (
            "name",
            "display",
            "description",
            "visualization_settings",
            "collection_id",
            "archived",
            "type",
            "collection_position",
        )
        card |= {key: body[key] for key in keys if key in body}
        if "dataset_query" in body:
            card["dataset_query"] = self._stored(body["dataset_query"])
        return self._shown_card(card)

    def get_card(self, id_: int, query: Any) -> Body:
        card = self._shown_card(_of(self.cards, id_))
        return card | {"view_count": 7, "last-edit-info": {"id": 1}, "creator": {"id": 1}}

    def post_card_query(self, id_: int, body: Any) -> Body:
        card = _of(self.cards, id_)
        values = {}
        for parameter in body.get("parameters") or []:
            values[parameter["target"][1][1]] = parameter.get("value")
        answer = self._run(card, values)
        # learnt by running it; drop-downs need it
        card["result_metadata"] = answer["data"]["cols"] or None
        return answer

    def _stored(self, query: Body) -> Body:
        """What is kept of a query, whichever of the two forms came."""
        if query.get("lib/type") == "mbql/query":
            stage = query["stages"][0]
            sql, tags = stage["native"], stage.get("template-tags") or {}
        elif query.get("type") == "native":
            sql, tags = query["native"]["query"], query["native"].get("template-tags") or {}
        else:
            raise Refused(400, "the tests' server only keeps native queries")
        if self.version < 63 and isinstance(tags, list):
            raise missing(dataset_query="template-tags must be a map")
        named = {tag["name"]: tag for tag in tags} if isinstance(tags, list) else dict(tags)
        for name, tag in named.items():
            if tag.get("name") != name or not tag.get("type") or not tag.get("display-name"):
                raise missing(dataset_query=f"template tag {name}")
            if tag["type"] == "dimension":
                ids = [part for part in tag.get("dimension", ())[1:] if isinstance(part, int)]
                if len(ids) != 1 or not tag.get("widget-type"):
                    raise missing(dataset_query=f"template tag {name} needs a field and a widget-type")
                _of(self.fields, ids[0])
        _of(self.databases, query["database"])
        return {"database": query["database"], "sql": sql, "tags": copy.deepcopy(named)}

    def _shown_card(self, card: Body) -> Body:
        query = card["dataset_query"]
        tags: Any = {
            # defaults are dropped
            name: self._altered("tag", self._hydrated(tag))
            for name, tag in query["tags"].items()
        }
        stage = {"lib/type": "mbql.stage/native", "lib/uuid": str(uuid.uuid4()), "native": query["sql"]}
        if tags:
            stage["template-tags"] = list(tags.values()) if self.version >= 63 else tags
        shown = {
            "lib/type": "mbql/query",
            "lib.convert/converted?": True,
            "database": query["database"],
            "stages": [stage],
        }
        return self._altered("card", copy.deepcopy(card) | {"dataset_query": shown, "query_type": "native"})

    @staticmethod
    def _hydrated(tag: Body) -> Body:
        """Without defaults; a field with options that the server knows."""
        plain = {key: value for key, value in tag.items() if not (key == "required" and not value)}
        if "dimension" in plain:
            id_ = next(part for part in plain["dimension"][1:] if isinstance(part, int))
            plain["dimension"] = ["field", {"base-type": "type/Text", "lib/uuid": str(uuid.uuid4())}, id_]
        return plain

    def _altered(self, kind: str, answer: Body) -> Body:
        kept = {key: value for key, value in answer.items() if key not in self.drops.get(kind, ())}
        return {**kept, **copy.deepcopy(self.adds.get(kind, {}))}

    def _run(self, card: Body, values: Mapping[str, Any]) -> Body:
        query = card["dataset_query"]
        try:
            columns = {
                id_: '"{schema}"."{name}".'.format(**self.tables[field["table_id"]]) + f'"{field["name"]}"'
                for id_, field in self.fields.items()
            }
            details = self.databases[query["database"]]["details"]
            data = native.run(details, query["sql"], query["tags"], values, columns)
        except native.QueryFailed as error:
            return {"status": "failed", "error": str(error), "row_count": 0, "data": {"rows": [], "cols": []}}
        return {"status": "completed", "row_count": len(data["rows"]), "data": data}

    # --- dashboards

    def post_dashboard(self, body: Any) -> Body:
        _non_blank(body, "name", required=True)
        if body.get("collection_id") is not None:
            _of(self.collections, body["collection_id"])
        dashboard = {
            **{"id": self._id(), "name": body["name"], "description": body.get("description")},
            **{"collection_id": body.get("collection_id"), "parameters": body.get("parameters", [])},
            **{"collection_position": body.get("collection_position")},
            **{"width": "fixed", "archived": False, "auto_apply_filters": True, "entity_id": _nano()},
            # dashcards and tabs of the body are ignored
            **{"dashcards": [], "tabs": []},
        }
        self._check_parameters(dashboard["parameters"])
        self.dashboards[dashboard["id"]] = dashboard
        return self._shown_dashboard(dashboard)

    def get_dashboard(self, id_: int, query: Any) -> Body:
        return self._shown_dashboard(_of(self.dashboards, id_))

    def put_dashboard(self, id_: int, body: Any) -> Body:
        dashboard = _of(self.dashboards, id_)
        _non_blank(body, "name")
        self._revise("dashboard", id_)
        if body.get("parameters") is not None:
            self._check_parameters(body["parameters"])
            dashboard["parameters"] = body["parameters"]
        given = ("description", "width", "collection_id", "collection_position")
        dashboard |= {key: body[key] for key in given if key in body}
        for key in ("name", "archived", "auto_apply_filters"):
            if body.get(key) is not None:
                dashboard[key] = body[key]
        # tabs are only looked at beside dashcards
        if "dashcards" in body:
            self._replace_layout(dashboard, body)
        return self._shown_dashboard(dashboard)

    def _replace_layout(self, dashboard: Body, body: Body) -> None:
        tab_ids = {}
        if "tabs" in body:
            known = {tab["id"] for tab in dashboard["tabs"]}
            tabs = []
            for tab in body["tabs"]:
                _non_blank(tab, "name", required=True)
                tab_ids[tab["id"]] = tab["id"] if tab["id"] in known else self._id()
                tabs.append({"id": tab_ids[tab["id"]], "name": tab["name"]})
            dashboard["tabs"] = tabs
        else:
            tab_ids = {tab["id"]: tab["id"] for tab in dashboard["tabs"]}
        ids = [dashcard.get("id") for dashcard in body["dashcards"]]
        if len(set(ids)) != len(ids):
            raise missing(dashcards="value must be seq of maps in which ids are unique")
        before = {dashcard["id"]: dashcard for dashcard in dashboard["dashcards"]}
        after = []
        for dashcard in body["dashcards"]:
            for key, least in (("id", None), ("size_x", 1), ("size_y", 1), ("row", 0), ("col", 0)):
                if not isinstance(dashcard.get(key), int) or (least is not None and dashcard[key] < least):
                    raise missing(dashcards=f"{key} must be an integer")
            tab = dashcard.get("dashboard_tab_id")
            if dashboard["tabs"] and tab not in tab_ids:
                raise Refused(400, "This dashboard has tab, makes sure every card has a tab")
            card = dashcard.get("card_id")
            if card is not None and _of(self.cards, card)["archived"]:
                raise Refused(404, "The object has been archived.")
            for mapping in dashcard.get("parameter_mappings") or []:
                if not mapping.get("parameter_id") or "target" not in mapping:
                    raise missing(dashcards="parameter_mapping must have parameter_id and target")
                if card is not None:
                    tag = self.cards[card]["dataset_query"]["tags"].get(mapping["target"][1][1])
                    kind = "dimension" if tag and tag["type"] == "dimension" else "variable"
                    assert mapping["target"][0] == kind, (mapping, tag)
            old = before.get(dashcard["id"])
            after.append(
                {
                    **{
                        "id": old["id"] if old else self._id(),
                        "entity_id": old["entity_id"] if old else _nano(),
                    },
                    **{"dashboard_id": dashboard["id"], "card_id": card, "action_id": None},
                    **{"dashboard_tab_id": tab_ids.get(tab) if tab is not None else None},
                    **{key: dashcard[key] for key in ("row", "col", "size_x", "size_y")},
                    **{"series": dashcard.get("series") or [], "inline_parameters": []},
                    "parameter_mappings": copy.deepcopy(dashcard.get("parameter_mappings") or []),
                    "visualization_settings": copy.deepcopy(dashcard.get("visualization_settings") or {}),
                }
            )
        dashboard["dashcards"] = after

    @staticmethod
    def _check_parameters(parameters: Any) -> None:
        for parameter in parameters:
            if not parameter.get("id") or not parameter.get("type"):
                raise missing(parameters="parameter must be a map with :id and :type keys")

    def _shown_dashboard(self, dashboard: Body) -> Body:
        shown = copy.deepcopy(dashboard)
        # in no fixed order
        shown["dashcards"].sort(key=lambda dashcard: -dashcard["id"] % 7)
        shown["parameters"] = [self._altered("parameter", one) for one in shown["parameters"]]
        shown["dashcards"] = [self._altered("dashcard", one) for one in shown["dashcards"]]
        for dashcard in shown["dashcards"]:
            if dashcard["card_id"] is not None:
                dashcard["card"] = self._shown_card(self.cards[dashcard["card_id"]])
        return self._altered("dashboard", shown | {"param_fields": {}, "can_write": True, "creator_id": 1})

    def post_dashboard_dashcard_card_query(self, id_: int, place: int, card: int, body: Any) -> Body:
        dashboard = _of(self.dashboards, id_)
        dashcard = next(
            (d for d in dashboard["dashcards"] if d["id"] == place and d["card_id"] == card), None
        )
        if dashcard is None:
            raise Refused(404, "Not found.")
        known = {parameter["id"] for parameter in dashboard["parameters"]}
        values = {}
        for parameter in body.get("parameters") or []:
            if parameter["id"] not in known:
                raise Refused(400, f"Dashboard does not have a parameter with ID {parameter['id']!r}.")
            for mapping in dashcard["parameter_mappings"]:
                if mapping["parameter_id"] == parameter["id"]:
                    values[mapping["target"][1][1]] = parameter["value"]
        return self._run(_of(self.cards, card), values)

    def get_dashboard_params_values(self, id_: int, key: str, query: Any) -> Body:
        """What a drop-down offers: each value once, in their order, a thousand at most."""
        dashboard = _of(self.dashboards, id_)
        parameter = next(one for one in dashboard["parameters"] if one["id"] == key)
        config = parameter.get("values_source_config") or {}
        if parameter.get("values_source_type") == "card":
            card = self.cards[config["card_id"]]
            if card["result_metadata"] is None:
                return {"values": [], "has_more_values": False}
            data = self._run(card, {})["data"]
            place = [c["name"] for c in data["cols"]].index(config["value_field"][1])
            found = sorted({row[place] for row in data["rows"]})
        else:
            found = list(config.get("values", []))
        return {"values": [[value] for value in found[:1000]], "has_more_values": len(found) > 1000}

    def _revise(self, kind: str, id_: int) -> None:
        self.revisions[(kind, id_)] = self.revisions.get((kind, id_), 0) + 1


def _is_id(step: str) -> bool:
    return step.isdigit() or step == "root"


def _of(objects: dict[int, Body], id_: int) -> Body:
    if id_ not in objects:
        raise Refused(404, "Not found.")
    return objects[id_]


def _non_blank(body: Mapping[str, Any], key: str, required: bool = False) -> None:
    value = body.get(key)
    if (value is None and required) or (value is not None and not str(value).strip()):
        raise missing(**{key: "value must be a non-blank string."})


def _is_good_password(password: Any) -> bool:
    return (
        isinstance(password, str)
        and len(password) >= 6
        and password not in {"password1", "metabase1", "abc123"}
        and any(character.isdigit() for character in password)
    )


def _shown_database(database: Body) -> Body:
    details = dict(database["details"])
    if details.get("password"):
        details["password"] = "**MetabasePass**"
    return {**{k: v for k, v in database.items() if k != "sync_after"}, "details": details}


def _humanised(name: str) -> str:
    return " ".join(part.capitalize() for part in name.split("_"))


def _nano() -> str:
    return uuid.uuid4().hex[:21]
