"""The connection: booting, down, slow, refusing, redirecting; nothing hangs, is swallowed or leaks."""

import os
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import warehouse
from metabase.client import ApiError, Client, UnreachableError
from metabase.errors import DashboardError, UsageError
from metabase.settings import Connection, Settings, connection, load
from tests.metabase.conftest import EMAIL, PASSWORD
from tests.metabase.fake import FakeMetabase, Refused
from tests.metabase.openapi import OpenApi


@pytest.fixture
def server(openapi: OpenApi | None) -> Iterator[FakeMetabase]:
    with FakeMetabase(openapi=openapi) as fake:
        fake.users[EMAIL] = PASSWORD
        yield fake


def client(url: str, **changes: object) -> Client:
    values = {
        **{"url": url, "api_key": None, "email": EMAIL, "password": PASSWORD},
        **{"setup_token": None, "wait": 2.0, "timeout": 2.0},
    }
    return Client(Settings(**(values | changes)), sleep=lambda seconds: None)  # type: ignore[arg-type]


def signed_in(server: FakeMetabase, **changes: object) -> Client:
    made = client(server.url, **changes)
    made.wait_until_ready()
    made.sign_in()
    server.forget()
    return made


def test_a_server_that_boots_is_waited_for(server: FakeMetabase) -> None:
    server.booting = 7
    made = client(server.url, wait=30.0)
    made.wait_until_ready()
    assert made.version == (64, "v0.64.6") and made.has_user_setup


@pytest.mark.parametrize("others", ["", "example.com"])
def test_a_server_on_this_machine_is_not_asked_through_a_proxy(
    others: str, server: FakeMetabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("no_proxy", others)
    for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    made = client(server.url, wait=0.2)
    made.wait_until_ready()
    assert made.has_user_setup


def test_a_server_that_never_comes_is_given_up(server: FakeMetabase) -> None:
    server.booting = 10**9
    with pytest.raises(UnreachableError, match=r"no Metabase is ready at .* after 0\.2 s \(503"):
        client(server.url, wait=0.2).wait_until_ready()


def test_a_server_that_is_down_is_told_with_what_to_do() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
    with pytest.raises(UnreachableError, match=r"connection was refused.*METABASE_URL"):
        client(url, wait=0.1).wait_until_ready()


def test_what_is_no_metabase_is_told(server: FakeMetabase) -> None:
    server.fault = lambda method, path: Refused(404, "nginx")
    with pytest.raises(DashboardError, match="is no Metabase"):
        client(server.url).wait_until_ready()


@pytest.mark.parametrize(("version", "fits"), [(57, False), (58, True), (65, True), (70, True)])
def test_versions(server: FakeMetabase, version: int, fits: bool) -> None:
    server.version = version
    if fits:
        client(server.url).wait_until_ready()
    else:
        with pytest.raises(UsageError, match=r"v0\.57\.6; the dashboards need 0\.58"):
            client(server.url).wait_until_ready()


def test_a_wrong_password_is_wrong_configuration_and_is_not_shown(server: FakeMetabase) -> None:
    with pytest.raises(UsageError, match="METABASE_ADMIN_EMAIL and _PASSWORD") as error:
        signed_in(server, password="not-the-passw0rd")
    assert "not-the-passw0rd" not in str(error.value)
    assert [m for m, p, _ in server.log if p == "/api/session"] == ["POST"], (
        "no second try: it would lock out"
    )


def test_one_login_and_no_question_before_each_request(server: FakeMetabase) -> None:
    made = signed_in(server)
    for _ in range(3):
        made.request("GET", "/api/database")
    assert [path for _, path, _ in server.log] == ["/api/database"] * 3


def test_a_session_that_ended_is_renewed(server: FakeMetabase) -> None:
    made = signed_in(server)
    server.sessions.clear()
    assert made.request("GET", "/api/database")["total"] == 0


@pytest.mark.parametrize("status", [502, 503, 504])
def test_what_can_be_repeated_is_repeated(server: FakeMetabase, status: int) -> None:
    made = signed_in(server)
    faults = iter([Refused(status, "away"), Refused(status, "away")])
    server.fault = lambda method, path: next(faults, None)
    assert made.request("GET", "/api/database")["total"] == 0
    assert len(server.log) == 3


def test_retries_are_bounded(server: FakeMetabase) -> None:
    made = signed_in(server)
    server.fault = lambda method, path: Refused(503, "away for good")
    with pytest.raises(ApiError) as error:
        made.request("PUT", "/api/card/1", json={})
    assert len(server.log) == 4
    assert (error.value.method, error.value.path, error.value.status) == ("PUT", "/api/card/1", 503)
    assert error.value.body == "away for good"


def test_a_post_is_not_repeated_when_it_may_have_been_done(server: FakeMetabase) -> None:
    made = signed_in(server)
    server.fault = lambda method, path: Refused(504, "Gateway Timeout")
    with pytest.raises(ApiError):
        made.request("POST", "/api/collection", json={"name": "Once"})
    assert len(server.log) == 1
    with pytest.raises(ApiError):
        made.request("POST", "/api/card/1/query", json={}, reads=True)
    assert len(server.log) == 1 + 4, "a query changes nothing"


def test_a_slow_server_is_not_waited_for_for_ever(server: FakeMetabase) -> None:
    made = signed_in(server, timeout=0.2)
    server.delay = 1.0
    with pytest.raises(UnreachableError, match=r"METABASE_TIMEOUT.*Whether it was done is not known"):
        made.request("POST", "/api/collection", json={"name": "Slow"})
    assert len(server.log) <= 1


def test_a_refusal_has_the_servers_own_words(server: FakeMetabase) -> None:
    made = signed_in(server)
    with pytest.raises(ApiError, match=r"400 to POST /api/collection.*non-blank") as error:
        made.request("POST", "/api/collection", json={"name": ""})
    assert error.value.status == 400
    with pytest.raises(ApiError, match=r"404 to POST /api/dashboard/1/cards: API endpoint does not exist\."):
        made.request("POST", "/api/dashboard/1/cards", json={})
    server.violations.clear()  # the removed route, on purpose


def test_an_empty_answer_is_none_and_a_wrong_one_an_error(server: FakeMetabase) -> None:
    made = signed_in(server)
    server.get_user_current = lambda query: None  # type: ignore[method-assign, assignment]
    assert made.request("GET", "/api/user/current") is None


def test_a_redirect_is_not_followed(server: FakeMetabase) -> None:
    import threading
    from http.server import BaseHTTPRequestHandler, HTTPServer

    class Elsewhere(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(301)
            self.send_header("Location", "https://metabase.example.com/")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Quiet."""

    with HTTPServer(("127.0.0.1", 0), Elsewhere) as http:
        threading.Thread(target=http.serve_forever, daemon=True).start()
        with pytest.raises(
            UsageError, match=r"redirects to https://metabase\.example\.com/: set METABASE_URL"
        ):
            client(f"http://127.0.0.1:{http.server_port}").wait_until_ready()
        http.shutdown()


def test_long_lists_come_page_by_page(server: FakeMetabase) -> None:
    made = signed_in(server)
    collection = made.request("POST", "/api/collection", json={"name": "Many"})["id"]
    for number in range(450):
        board = {"id": 1000 + number, "name": f"{number % 7}", "collection_id": collection, "archived": False}
        server.dashboards[board["id"]] = board
    items = list(made.pages(f"/api/collection/{collection}/items", {"models": ["dashboard"]}))
    assert {item["id"] for item in items} == set(server.dashboards)
    assert len(items) == 450


Variables = dict[str, str]


def _connection(variables: Variables) -> Connection:
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith(("PG", "METABASE_"))]:
            patch.delenv(name)
        patch.setenv("TMDB_ENV_FILE", "")
        for name, value in variables.items():
            patch.setenv(name, value)
        return connection()


@pytest.mark.parametrize(
    ("read", "variables", "message"),
    [
        (load, {}, "METABASE_ADMIN_PASSWORD"),
        (load, {"METABASE_ADMIN_PASSWORD": "x", "METABASE_URL": "metabase:3000"}, "must be a URL"),
        (load, {"METABASE_ADMIN_PASSWORD": "x", "METABASE_WAIT": "soon"}, "METABASE_WAIT='soon'"),
        (_connection, {}, "by a unix socket"),
        (_connection, {"PGHOST": "/run/postgresql"}, "by a unix socket"),
        (_connection, {"PGHOST": "db"}, "METABASE_READER_PASSWORD is not set"),
        (_connection, {"PGHOST": "db", "METABASE_READER_PASSWORD": "x", "PGPORT": "a"}, "port 'a'"),
        (_connection, {"PGHOST": "db,db2", "METABASE_READER_PASSWORD": "x"}, "one host"),
    ],
)
def test_what_is_missing_in_the_configuration_is_named(
    read: Callable[[Variables], object], variables: Variables, message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        read(variables)


def test_metabase_may_know_the_warehouse_by_another_name() -> None:
    given = {"PGHOST": "127.0.0.1", "PGPORT": "5555", "METABASE_READER_PASSWORD": "s3cret"}
    known = _connection(given | {"METABASE_WAREHOUSE_HOST": "postgres", "METABASE_WAREHOUSE_PORT": "5432"})
    assert repr(known) == "Connection(metabase_reader@postgres:5432/tmdb)"
    assert repr(load({"METABASE_API_KEY": "mb_key"})) == "Settings(url='http://127.0.0.1:3000')"


def test_a_service_names_the_warehouse_as_for_every_other_program(tmp_path: Path) -> None:
    (tmp_path / "services.conf").write_text("[films]\nhost=db.example\nport=6543\ndbname=films\n")
    given = {"PGSERVICEFILE": str(tmp_path / "services.conf"), "PGSERVICE": "films"}
    known = _connection(given | {"METABASE_READER_PASSWORD": "s3cret"})
    assert repr(known) == "Connection(metabase_reader@db.example:6543/films)"
    with pytest.raises(warehouse.UsageError, match="contradict each other"):
        _connection(given | {"METABASE_READER_PASSWORD": "s3cret", "PGHOST": "other"})
