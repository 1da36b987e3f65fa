"""The client by itself, against a server that answers whatever a test says."""

import asyncio
import gzip
import tracemalloc
import zlib
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest

from extractor import settings
from extractor.pace import Pace
from extractor.rows import MAX_BODY, Ask, Failure, Outcome, Row
from extractor.tmdb import client as opened

Answer = tuple[int, dict[str, str], bytes]
FILM = b'{"id":603,"title":"The Matrix","credits":{"cast":[],"crew":[]},"keywords":{"keywords":[]}}'


class Server:
    """Gives the answers of `answers`, one after the other, the last one for ever; keeps the requests."""

    def __init__(self) -> None:
        self.answers: list[Answer] = []
        self.requests: list[tuple[str, dict[str, str]]] = []
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                server.requests.append((self.path, {k.lower(): v for k, v in self.headers.items()}))
                status, headers, body = (
                    server.answers.pop(0) if len(server.answers) > 1 else server.answers[0]
                )
                self.send_response(status)
                for name, value in {"Content-Length": str(len(body)), **headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:
                """Nothing."""

        class Quiet(ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, request: object, client_address: object) -> None:
                """A client that has enough hangs up: as it should."""

        self.http = Quiet(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.http.server_port}/3"


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server()
    thread = Thread(target=made.http.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    yield made
    made.http.shutdown()
    thread.join()
    made.http.server_close()


@pytest.fixture
def fetch(server: Server) -> Callable[..., Outcome]:
    """The outcome of asking for film 603."""

    def ask(**options: str) -> Outcome:
        checked = settings.checked(
            {
                "TMDB_TOKEN": "eyJ.some.token",
                "TMDB_BASE_URL": server.url,
                "TMDB_MAX_TRIES": "2",
                "TMDB_BLOCKS": "credits,keywords",
                "TMDB_TIMEOUT": "10",
                **options,
            }
        )

        async def run() -> Outcome:
            async with opened(checked, Pace(1000)) as client:
                return await client.fetch(Ask("movie", 603, "popular", full=True))

        return asyncio.run(run())

    return ask


def test_the_request_says_who_asks_for_what(server: Server, fetch: Callable[..., Outcome]) -> None:
    server.answers = [(200, {}, FILM)]
    assert fetch() == Row("movie", 603, 200, FILM, "popular")
    ((path, headers),) = server.requests
    assert path == "/3/movie/603?append_to_response=credits,keywords"
    assert headers["authorization"] == "Bearer eyJ.some.token"
    assert headers["accept-encoding"] == "gzip" and headers["user-agent"] == "tmdb-elt"
    assert "cookie" not in headers


@pytest.mark.filterwarnings("ignore::DeprecationWarning:httpx_aiohttp")  # what aiohttp 4 will want of it
@pytest.mark.parametrize("is_there", [True, False])
def test_a_proxy_that_does_not_lead_on_is_told_as_the_proxys(
    server: Server, fetch: Callable[..., Outcome], monkeypatch: pytest.MonkeyPatch, is_there: bool
) -> None:
    """The server answers CONNECT with 501; where there is no proxy, the connection is refused."""
    port = server.http.server_port if is_there else 9
    monkeypatch.setenv("https_proxy", f"http://user:pa55word@127.0.0.1:{port}")
    outcome = fetch(TMDB_BASE_URL="https://tmdb.example/3", TMDB_MAX_TRIES="1")
    assert isinstance(outcome, Failure) and outcome.reason == "connection"
    assert outcome.detail.startswith("the proxy that HTTPS_PROXY") and "pa55word" not in outcome.detail


def test_packed_answers_are_unpacked(server: Server, fetch: Callable[..., Outcome]) -> None:
    server.answers = [(200, {"Content-Encoding": "gzip"}, gzip.compress(FILM))]
    outcome = fetch()
    assert isinstance(outcome, Row) and outcome.body == FILM


@pytest.mark.parametrize(
    "packed",
    [gzip.compress(FILM)[:-12], b"not packed at all", zlib.compress(FILM)],
    ids=["cut", "plain", "zlib"],
)
def test_what_cannot_be_unpacked_is_asked_for_again(
    server: Server, fetch: Callable[..., Outcome], packed: bytes
) -> None:
    server.answers = [(200, {"Content-Encoding": "gzip"}, packed), (200, {}, FILM)]
    outcome = fetch()
    assert isinstance(outcome, Row) and outcome.body == FILM
    assert len(server.requests) == 2


def test_a_small_answer_that_unpacks_to_a_huge_one_is_refused(
    server: Server, fetch: Callable[..., Outcome]
) -> None:
    bomb = gzip.compress(FILM[:-1] + b',"a":"' + b"x" * (400 << 20) + b'"}')
    server.answers = [(200, {"Content-Encoding": "gzip"}, bomb)]
    tracemalloc.start()
    try:
        outcome = fetch()
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert isinstance(outcome, Failure) and outcome.reason == "body_too_large"
    assert peak < 8 * MAX_BODY


def test_a_server_that_drips_is_given_up(server: Server, fetch: Callable[..., Outcome]) -> None:
    # announces more than it sends, and keeps the connection open
    server.answers = [(200, {"Content-Length": "1000"}, FILM)]
    outcome = fetch(TMDB_TIMEOUT="0.5")
    assert isinstance(outcome, Failure) and outcome.reason == "timeout"
    assert outcome.detail == "no answer within 0.5 s"


def test_cookies_are_not_sent_back(server: Server, fetch: Callable[..., Outcome]) -> None:
    server.answers = [(500, {"Set-Cookie": "who=you; Path=/"}, b"{}"), (200, {}, FILM)]
    assert isinstance(fetch(), Row)
    assert all("cookie" not in headers for _, headers in server.requests)


@pytest.mark.parametrize(
    ("status", "tries"),
    [
        (400, 1),
        (403, 1),
        (405, 1),
        (410, 1),
        (422, 1),
        (408, 2),
        (425, 2),
        (500, 2),
        (504, 2),
        (204, 2),
        (301, 2),
    ],
)
def test_what_may_pass_is_tried_again_and_nothing_else(
    server: Server, fetch: Callable[..., Outcome], status: int, tries: int
) -> None:
    server.answers = [(status, {}, b"" if status == 204 else b'{"errors":["no"]}')]
    outcome = fetch()
    assert isinstance(outcome, Failure) and outcome.http_status == status
    assert len(server.requests) == tries


def test_the_wait_before_another_try_is_the_servers_if_it_names_one(
    server: Server, fetch: Callable[..., Outcome], monkeypatch: pytest.MonkeyPatch
) -> None:
    waits: list[float] = []
    sleep = asyncio.sleep

    async def noted(seconds: float) -> None:
        waits.append(seconds)
        await sleep(0)

    monkeypatch.setattr("backoff._async.asyncio.sleep", noted)
    server.answers = [
        (503, {"Retry-After": "7"}, b"{}"),
        *[(500, {}, b"{}")] * 4,
        (200, {}, FILM),
    ]
    assert isinstance(fetch(TMDB_MAX_TRIES="6"), Row)
    waits = [wait for wait in waits if wait]
    assert 7 <= waits[0] <= 7.5
    # full jitter: from nothing to twice as much each time
    assert [wait <= 0.5 * 2**n for n, wait in enumerate(waits[1:], 1)] == [True] * 4


def test_the_token_in_a_film_is_masked_and_that_is_told(
    server: Server, fetch: Callable[..., Outcome]
) -> None:
    server.answers = [(200, {}, FILM[:-1] + b',"a":"eyJ.some.token\\u0000"}')]
    outcome = fetch()
    assert isinstance(outcome, Row)
    assert outcome.body == FILM[:-1] + b',"a":"[redacted]"}'
    assert outcome.alteration == "removed 1 NUL; masked the token 1 times"


def test_a_proxy_of_the_environment_is_used_but_not_for_this_machine(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from common.proxy import proxy_for

    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.example:3128")
    monkeypatch.setenv("HTTP_PROXY", "http://proxy.example:3128")
    proxy = proxy_for("https://api.themoviedb.org/3")
    assert proxy == "http://proxy.example:3128"
    assert proxy_for("http://127.0.0.1:8000/3") is None and proxy_for("http://localhost/3") is None
    monkeypatch.setenv("NO_PROXY", "themoviedb.org")
    assert proxy_for("https://api.themoviedb.org/3") is None
