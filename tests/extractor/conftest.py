"""The extractor against the stand-in and a real PostgreSQL: in this process, or as the program one types."""

import asyncio
import contextlib
import json
import os
import pty
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import psycopg
import pytest

from common.report import Counts
from demo.server import StandIn
from extractor import pipeline, settings
from extractor.landing import Landing
from tests import programs
from tests.databases import connection_parameters

DAY = date(2026, 8, 20)
HOOK_KEY = "T0K3N-0F-A-H00K-9f8e7d6c"
TOKEN = "eyJhbGciOiJIUzI1NiJ9.c2VjcmV0.Zm9yLXRlc3RzLW9ubHk"


@pytest.fixture
def tmdb() -> Iterator[StandIn]:
    """A stand-in with 300 films on DAY."""
    with StandIn(films=300, today=DAY, token=TOKEN) as server:
        yield server


@dataclass
class Zone:
    """The test's landing zone."""

    variables: dict[str, str]

    @contextmanager
    def connection(self) -> Iterator[psycopg.Connection]:
        with psycopg.connect(autocommit=True, **connection_parameters(self.variables)) as connection:
            yield connection

    def rows(self, query: str, *parameters: Any) -> list[tuple[Any, ...]]:
        """What a query gives."""
        with self.connection() as connection:
            return connection.execute(query.encode(), parameters).fetchall()

    def one(self, query: str, *parameters: Any) -> Any:
        """The one value of a query."""
        ((value,),) = self.rows(query, *parameters)
        return value

    def execute(self, statement: str, *parameters: Any) -> None:
        """Change something."""
        with self.connection() as connection:
            connection.execute(statement.encode(), parameters)

    def films(self, day: date = DAY, status: int = 200) -> set[int]:
        """The ids landed on a date with a status."""
        return {
            film
            for (film,) in self.rows(
                "select resource_id from raw.tmdb_response"
                " where resource = 'movie' and snapshot_date = %s and http_status = %s",
                day,
                status,
            )
        }

    def fingerprint(self) -> list[tuple[Any, ...]]:
        """Every row but its times and run numbers."""
        return self.rows(
            "select resource, resource_id, snapshot_date, http_status, md5(payload::text),"
            " alteration, selected_by from raw.tmdb_response order by 1, 2, 3"
        )

    def last_run(self) -> dict[str, Any]:
        """The ledger's newest line."""
        with self.connection() as connection:
            cursor = connection.cursor(row_factory=psycopg.rows.dict_row)
            return cursor.execute("select * from raw.extract_run order by run_id desc limit 1").fetchone()

    def assert_counts_are_true(self) -> None:
        """The newest run's counts are those of the rows that carry its number."""
        run = self.last_run()
        landed, gone, size = self.rows(
            "select count(*) filter (where http_status = 200), count(*) filter (where http_status = 404),"
            " coalesce(sum(length(payload::text)), 0) from raw.tmdb_response where run_id = %s",
            run["run_id"],
        )[0]
        failed = self.one("select count(*) from raw.extract_failure where run_id = %s", run["run_id"])
        assert (run["landed"], run["not_found"], run["failed"]) == (landed, gone, failed)
        assert (run["bytes"] > 0) == (size > 0)
        if run["status"] == "finished":
            assert run["requested"] == landed + gone + failed


@pytest.fixture
def zone(database: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Zone:
    """The test's database, which the PG* variables of this process name."""
    for name, value in database.items():
        monkeypatch.setenv(name, value)
    return Zone(database)


class Silent:
    """A reporter that keeps what it is told."""

    def __init__(self) -> None:
        self.total = 0
        self.counts = Counts()

    def begin(self, total: int) -> None:
        self.total += total

    def skip(self, count: int) -> None:
        self.total -= count

    def update(self, counts: Counts) -> None:
        self.counts = counts


Extract = Callable[..., Landing]


@pytest.fixture
def extract(tmdb: StandIn, zone: Zone) -> Extract:
    """Runs an extraction in this process: `extract(pages=3, mode="export")`."""

    def run(**options: Any) -> Landing:
        given = {
            "TMDB_TOKEN": tmdb.token,
            "TMDB_BASE_URL": tmdb.base_url,
            "TMDB_EXPORT_URL": tmdb.export_url,
            "TMDB_MAX_RPS": "100000",
            "TMDB_TIMEOUT": "5",
            "TMDB_SNAPSHOT_DATE": tmdb.today.isoformat(),
            **{f"TMDB_{name.upper()}": str(value) for name, value in options.items()},
        }
        return asyncio.run(pipeline.extract(settings.checked(given), Silent()))

    return run


Program = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def environment(tmdb: StandIn, database: dict[str, str]) -> dict[str, str]:
    """The variables of a program that works on the test's database and stand-in."""
    return {
        **{name: value for name, value in os.environ.items() if not name.startswith("PG")},
        **database,
        "TMDB_TOKEN": tmdb.token,
        "TMDB_BASE_URL": tmdb.base_url,
        "TMDB_EXPORT_URL": tmdb.export_url,
        "TMDB_MAX_RPS": "100000",
        "TMDB_PAGES": "5",
        "TMDB_SNAPSHOT_DATE": tmdb.today.isoformat(),
    }


@pytest.fixture
def program(environment: dict[str, str], project_root: Path) -> Program:
    """Runs `python -m extractor` to its end: `program("run", TMDB_LIMIT="5")`; None unsets a variable."""

    def run(*words: str, **variables: str | None) -> subprocess.CompletedProcess[str]:
        merged = {**environment, **variables}
        given = {name: value for name, value in merged.items() if value is not None}
        return programs.run("extractor", words, cwd=project_root, env=given)

    return run


Start = Callable[..., subprocess.Popen[str]]


@pytest.fixture
def start(environment: dict[str, str], project_root: Path) -> Iterator[Start]:
    """Starts `python -m extractor run`, slowed to about two seconds, and leaves it running."""
    started: list[subprocess.Popen[str]] = []

    def run(**variables: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-m", "extractor", "run"],
            cwd=project_root,
            env={**environment, "TMDB_PAGES": "15", "TMDB_MAX_RPS": "150", **variables},
            stderr=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            text=True,
        )
        started.append(process)
        return process

    yield run
    for process in started:
        if process.poll() is None:
            process.kill()
        process.wait()
        if process.stderr is not None:
            process.stderr.close()


def wait_for(condition: Callable[[], Any], seconds: float = 60.0) -> Any:
    """What `condition` gives once it is true."""
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < deadline, "it did not come about"
        time.sleep(0.02)
    return value


class Hook:
    """A webhook: keeps what it is sent, and answers with `statuses` one after the other, the last for ever.

    `location`: where its redirects lead. `hang`: it never answers. `drip`: it never comes to an end.
    """

    def __init__(self) -> None:
        self.statuses = [204]
        self.location = ""
        self.hang = self.drip = False
        self.received: list[tuple[str, dict[str, str], bytes]] = []
        self._over = threading.Event()
        hook = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                hook.received.append((self.path, dict(self.headers), body))
                if hook.hang:
                    hook._over.wait(60)
                while hook.drip and not hook._over.wait(0.05):
                    self.wfile.write(b"HTTP/1.1 100 Continue\r\n\r\n")
                if hook._over.is_set():
                    return
                status = hook.statuses.pop(0) if len(hook.statuses) > 1 else hook.statuses[0]
                self.send_response(status)
                if hook.location:
                    self.send_header("Location", hook.location)
                self.send_header("Content-Length", "0")
                self.end_headers()

            do_GET = do_POST

            def log_message(self, format: str, *args: object) -> None:
                """Nothing."""

        class Server(ThreadingHTTPServer):
            def handle_error(self, request: object, client_address: object) -> None:
                """A client that had enough of it hangs up."""

        self._server = Server(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05})
        self.origin = f"http://127.0.0.1:{self._server.server_port}"
        self.url = f"{self.origin}/services/{HOOK_KEY}?room={HOOK_KEY}"

    def __enter__(self) -> "Hook":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def contents(self) -> list[dict[str, Any]]:
        """The bodies, read."""
        return [json.loads(body) for _, _, body in self.received]


@pytest.fixture
def hook() -> Iterator[Hook]:
    """A webhook that takes everything."""
    with Hook() as server:
        yield server


def on_a_terminal(words: list[str], cwd: Path, environment: dict[str, str]) -> bytes:
    """What `python -m extractor …`, which must end well, writes to a terminal."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "extractor", *words],
        cwd=cwd,
        env={**environment, "TERM": "xterm"},
        stderr=theirs,
    )
    os.close(theirs)
    shown = b""
    with contextlib.suppress(OSError):  # Linux's way to say that the other end is closed
        while part := os.read(ours, 65536):
            shown += part
    os.close(ours)
    assert process.wait(60) == 0
    return shown
