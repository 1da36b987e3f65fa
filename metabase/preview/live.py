"""The page, alive: the same dashboards, each card answered from the warehouse when it is shown.

For one person on one machine: it listens on the loopback address alone, answers only requests that name it by
a loopback name (a page elsewhere that points its own name here gets nothing), and only reads.
"""

import errno
import json
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Semaphore
from typing import Any
from urllib.parse import parse_qs, urlsplit

from metabase.conditions import problem
from metabase.errors import DashboardError, UsageError
from metabase.manifest import Manifest
from metabase.preview.answers import Answers
from metabase.preview.content import Content, items, result
from metabase.preview.page import render_page
from metabase.preview.queries import CardError, connect
from metabase.spec import Choice, Dashboard, Filter, Spec, render, tag_values
from metabase.template import Value

HOST = "127.0.0.1"
NAMES = frozenset({HOST, "localhost"})
"""What a browser may call this server."""
AT_ONCE = 4
"""Queries at the same time: a dashboard asks for a dozen."""


class WrongRequestError(Exception):
    """A request for what isn't there, or with a value that can't be: status and reason."""

    def __init__(self, status: HTTPStatus, reason: str) -> None:
        super().__init__(reason)
        self.status = status


class Warehouse:
    """Answers the page and its cards; a query may take `seconds`."""

    def __init__(self, spec: Spec, manifest: Manifest, *, note: str, seconds: int) -> None:
        self._spec, self._manifest, self._note, self._seconds = spec, manifest, note, seconds
        self._schemas = {model.schema for model in manifest.models.values()}
        self._cards = {
            key: (one, spec.cards[item.card], item)
            for one in spec.dashboards
            for key, _, item in items(one)
            if item.card
        }
        self._turn = Semaphore(AT_ONCE)

    def page(self) -> str:
        """The page, with what its dropdowns offer now."""
        with self._turn, connect(self._schemas, self._seconds) as reader:
            content = Content(self._spec, Answers(self._spec, self._manifest, reader), live=True)
            return render_page(content, datetime.now(UTC), self._note).html

    def answer(self, key: str, query: str) -> dict[str, Any]:
        """A card's rows with these filters. Raises `WrongRequestError`, `CardError` and `DashboardError`."""
        if key not in self._cards:
            raise WrongRequestError(HTTPStatus.NOT_FOUND, f"there is no card {key!r}")
        dashboard, card, item = self._cards[key]
        tags = tag_values(dashboard, item, chosen(dashboard, query))
        try:
            sql, parameters = render(card, self._manifest.relations, self._manifest.variables, tags)
        except UsageError as error:
            raise WrongRequestError(HTTPStatus.BAD_REQUEST, str(error)) from error
        with self._turn, connect(self._schemas, self._seconds) as reader:
            return result(reader.rows(sql, parameters))


def chosen(dashboard: Dashboard, query: str) -> dict[str, Choice | None]:
    """The filters' values in a query string; an empty one is no value. Raises `WrongRequestError`."""
    known = {item.key: item for item in dashboard.filters}
    values: dict[str, Choice | None] = {}
    for key, texts in parse_qs(query, keep_blank_values=True).items():
        if key not in known:
            raise WrongRequestError(HTTPStatus.BAD_REQUEST, f"{dashboard.name} has no filter {key!r}")
        values[key] = _value(known[key], [text for text in texts if text])
    return values


def _value(item: Filter, texts: Sequence[str]) -> Choice | None:
    if not texts:
        return item.default if item.required else None
    values = tuple(_number(text) if item.type.startswith("number/") else text for text in texts)
    wrong = (
        "can't be held by PostgreSQL" if any("\0" in text for text in texts) else problem(item.type, values)
    )
    if wrong is None and len(values) > 1 and not item.multiple and item.type != "number/between":
        wrong = "are several, and it takes one"
    if wrong:
        shown = ", ".join(repr(text) for text in texts)
        raise WrongRequestError(HTTPStatus.BAD_REQUEST, f"{item.name}: {shown} {wrong}")
    return values if item.column else values[0]


def _number(text: str) -> Value:
    """The number, or the text again where it is none."""
    try:
        number = float(text)
    except ValueError:
        return text
    return int(number) if number.is_integer() else number


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 60
    warehouse: Warehouse

    def do_GET(self) -> None:
        address = urlsplit(self.path)
        try:
            self._refuse_strangers()
            if address.path == "/":
                self._send(HTTPStatus.OK, "text/html; charset=utf-8", self.warehouse.page())
            elif address.path.startswith("/answer/"):
                answer = self.warehouse.answer(address.path.removeprefix("/answer/"), address.query)
                self._send(HTTPStatus.OK, "application/json", json.dumps(answer, allow_nan=False))
            else:
                raise WrongRequestError(HTTPStatus.NOT_FOUND, "only the page and its answers are here")
        except WrongRequestError as error:
            self._fail(error.status, str(error))
        except CardError as error:
            self._fail(HTTPStatus.UNPROCESSABLE_ENTITY, str(error))
        except DashboardError as error:
            self._fail(HTTPStatus.SERVICE_UNAVAILABLE, str(error))

    def _refuse_strangers(self) -> None:
        try:
            name = urlsplit(f"//{self.headers.get('Host', '')}").hostname
        except ValueError:
            name = None
        if name not in NAMES:
            raise WrongRequestError(HTTPStatus.MISDIRECTED_REQUEST, f"ask for http://{HOST}, not for {name}")
        if self.path != "/" and self.headers.get("Sec-Fetch-Site", "none") not in ("same-origin", "none"):
            raise WrongRequestError(HTTPStatus.FORBIDDEN, "another site's page may not ask")

    def _fail(self, status: HTTPStatus, reason: str) -> None:
        self._send(status, "application/json", json.dumps({"error": reason}))

    def _send(self, status: HTTPStatus, kind: str, text: str) -> None:
        body = text.encode()
        self.send_response(status)
        for name, value in (
            ("Content-Type", kind),
            ("Content-Length", str(len(body))),
            ("Cache-Control", "no-store"),
            ("X-Content-Type-Options", "nosniff"),
            ("X-Frame-Options", "DENY"),
            ("Cross-Origin-Resource-Policy", "same-origin"),
        ):
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Nothing: what is asked for is on the page."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """A browser that leaves while it is answered is none; anything else is told as always."""
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)  # type: ignore[arg-type]


def serve(warehouse: Warehouse, port: int, announce: Callable[[str], None]) -> None:
    """Answer on a port (0: any free one) until Ctrl-C; `announce` gets the address. Raises `UsageError`."""
    handler = type("Handler", (_Handler,), {"warehouse": warehouse})
    try:
        server = _Server((HOST, port), handler)
    except OSError as error:
        if error.errno not in (errno.EADDRINUSE, errno.EACCES):
            raise
        why = "is taken" if error.errno == errno.EADDRINUSE else "is not allowed"
        another = port + 1 if 1024 <= port < 65535 else 8080
        raise UsageError(f"port {port} {why}: choose another, such as PORT={another}") from error
    with server:
        announce(f"http://{HOST}:{server.server_port}/")
        server.serve_forever()
