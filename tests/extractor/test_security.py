"""The token stays where it belongs, connections are verified, answers are data."""

import logging
import os
import re
import ssl
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import pytest

from common.logs import RedactingFormatter
from common.secret import Secret
from demo.faults import Faults
from demo.server import StandIn
from extractor import cli
from extractor.errors import SourceError
from tests.extractor.conftest import TOKEN, Extract, Program, Zone, wait_for


class Listener:
    """A host that notes what it is sent."""

    def __init__(self, context: ssl.SSLContext | None = None) -> None:
        self.headers: list[str] = []
        listener = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                listener.headers.append(str(self.headers))
                self.send_response(200)
                self.send_header("Content-Length", "2")
                self.end_headers()
                self.wfile.write(b"{}")

            def log_message(self, format: str, *args: object) -> None:
                """Nothing."""

        class Server(HTTPServer):
            def handle_error(self, request: object, client_address: object) -> None:
                """A client that does not trust us hangs up: as it should."""

        self.server = Server(("127.0.0.1", 0), Handler)
        if context is not None:
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.port = self.server.server_port
        self._thread = Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05})

    def __enter__(self) -> "Listener":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.server.shutdown()
        self._thread.join()
        self.server.server_close()


def everything_in(zone: Zone) -> str:
    """All that is in the database, as text."""
    tables = zone.rows(
        "select table_schema, table_name from information_schema.tables where table_schema = 'raw'"
    )
    return "\n".join(
        str(row)
        for schema, table in tables
        for row in zone.rows(f"select t::text, t from {schema}.{table} as t")
    )


def every_form_of(token: str) -> list[str]:
    """The token as text and as the hex of a bytea."""
    return [token, token.encode().hex()]


def test_the_token_is_in_no_log_no_message_no_row_also_when_the_server_echoes_it(
    program: Program, tmdb: StandIn, zone: Zone
) -> None:
    films = tmdb.ids()
    # in a body that is landed, in errors that pass, in one that stays, in a body that is no JSON
    tmdb.override(films[0], {"overview": f"You sent Authorization: Bearer {TOKEN}, twice: {TOKEN}"})
    tmdb.faults = Faults({"echo": 0.2}, attempts=1, permanent={films[1]: "echo"})
    done = program("run", TMDB_LOG_LEVEL="DEBUG", TMDB_MAX_TRIES="3")
    assert done.returncode == 0, done.stderr
    assert "trying again" in done.stderr and "DEBUG" in done.stderr
    assert TOKEN not in done.stderr + done.stdout
    kept = everything_in(zone)
    for form in every_form_of(TOKEN):
        assert form not in kept
    ((reason, detail, body),) = zone.rows("select reason, detail, body from raw.extract_failure")
    assert reason == "http_500" and "[redacted]" in detail and b"[redacted]" in bytes(body)
    ((overview, alteration),) = zone.rows(
        "select payload ->> 'overview', alteration from raw.tmdb_response where resource_id = %s", films[0]
    )
    assert overview.count("[redacted]") == 2 and alteration == "masked the token 2 times"


def test_nor_when_the_whole_run_fails(program: Program, tmdb: StandIn, zone: Zone) -> None:
    tmdb.faults = Faults({"echo": 1.0}, attempts=99)
    done = program("run", TMDB_LOG_LEVEL="DEBUG", TMDB_MAX_TRIES="2")
    assert done.returncode == 1 and "[redacted]" in done.stderr
    assert TOKEN not in done.stderr + everything_in(zone)
    wrong = "eyJ.another.wrong-token"
    done = program("run", TMDB_LOG_LEVEL="DEBUG", TMDB_TOKEN=wrong)
    assert wrong not in done.stderr + everything_in(zone)


def test_nor_in_a_traceback_of_a_fault_of_our_own(
    zone: Zone, tmdb: StandIn, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError(f"something with {TOKEN} in it")

    monkeypatch.setattr("extractor.pipeline._parameters", broken)
    monkeypatch.setattr(sys, "argv", ["extractor", "run"])
    monkeypatch.setenv("TMDB_TOKEN", TOKEN)
    monkeypatch.setenv("TMDB_BASE_URL", tmdb.base_url)
    handlers, level = logging.getLogger().handlers[:], logging.getLogger().level
    environment = dict(os.environ)
    try:
        with pytest.raises(SystemExit) as ended:
            cli.main()
    finally:
        logging.getLogger().handlers[:] = handlers
        logging.getLogger().setLevel(level)
        os.environ.clear()
        os.environ.update(environment)
    said = capsys.readouterr().err
    assert ended.value.code == 1
    assert "ZeroDivisionError: something with [redacted] in it" in said and TOKEN not in said


def test_no_option_takes_the_token_so_no_process_list_shows_it() -> None:
    for command in cli.cli.commands.values():
        assert all(option.envvar != "TMDB_TOKEN" for option in command.params)


def command_line(pid: int) -> bytes:
    """What the list of processes shows of one; a small Debian has no ps, macOS no /proc."""
    file = Path(f"/proc/{pid}/cmdline")
    if file.exists():
        return file.read_bytes()
    return subprocess.run(
        ["ps", "-ww", "-o", "args=", "-p", str(pid)], capture_output=True, check=True
    ).stdout


def test_the_process_list_does_not_show_it(
    environment: dict[str, str], tmdb: StandIn, project_root: Path, zone: Zone
) -> None:
    tmdb.latency = 0.2
    process = subprocess.Popen(
        [sys.executable, "-m", "extractor", "run"],
        cwd=project_root,
        env=environment,
        stderr=subprocess.DEVNULL,
    )
    try:
        # for a moment after it was started it has none
        shown = wait_for(partial(command_line, process.pid))
        assert b"extractor" in shown and TOKEN.encode() not in shown
    finally:
        process.kill()
        process.wait()


def test_the_log_masks_it_in_whatever_is_logged() -> None:
    formatter = RedactingFormatter(Secret("s3cret-token"))
    try:
        raise ValueError("with s3cret-token")
    except ValueError:
        record = logging.LogRecord("x", logging.ERROR, "x.py", 1, "a %s", ("s3cret-token",), sys.exc_info())
    assert "s3cret-token" not in formatter.format(record)
    assert formatter.format(record).count("[redacted]") >= 2


def test_a_secret_cannot_be_pickled_and_does_not_show() -> None:
    import pickle

    with pytest.raises(TypeError):
        pickle.dumps(Secret("s3cret-token"))
    assert "s3cret-token" not in repr([Secret("s3cret-token")]) + f"{Secret('s3cret-token')}"


def test_a_redirect_to_another_host_is_not_followed(extract: Extract, tmdb: StandIn, zone: Zone) -> None:
    with Listener() as other:
        tmdb.faults = Faults({"redirect": 0.3}, attempts=1, redirect_to=f"http://127.0.0.1:{other.port}")
        extract(pages=5)
        assert tmdb.faults.injected["redirect"] > 10
        assert other.headers == []
    assert len(zone.films()) > 90


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate for 127.0.0.1 that no authority signed, with its key."""
    file = tmp_path_factory.mktemp("tls") / "self-signed.pem"
    subprocess.run(
        [
            "openssl",
            "req",
            "-x509",
            "-newkey",
            "rsa:2048",
            "-nodes",
            "-days",
            "2",
            "-subj",
            "/CN=127.0.0.1",
            "-addext",
            "subjectAltName=IP:127.0.0.1",
            "-keyout",
            str(file),
            "-out",
            f"{file}.crt",
        ],
        check=True,
        capture_output=True,
    )
    file.write_text(file.read_text() + Path(f"{file}.crt").read_text())
    return file


@pytest.fixture
def https(certificate: Path) -> Iterator[Listener]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    with Listener(context) as listener:
        yield listener


@pytest.mark.parametrize(
    "variables",
    [
        {},
        # what switches verification off elsewhere
        {
            "PYTHONHTTPSVERIFY": "0",
            "REQUESTS_CA_BUNDLE": "",
            "CURL_CA_BUNDLE": "",
            "NODE_TLS_REJECT_UNAUTHORIZED": "0",
        },
    ],
)
def test_a_certificate_that_nobody_signed_is_not_trusted(
    program: Program, https: Listener, zone: Zone, variables: dict[str, str]
) -> None:
    done = program("run", TMDB_BASE_URL=f"https://127.0.0.1:{https.port}/3", TMDB_MAX_TRIES="1", **variables)
    assert done.returncode == 1 and re.search("certificate verify failed", done.stderr, re.IGNORECASE)
    assert https.headers == []


def test_one_that_the_environment_names_is(program: Program, https: Listener, certificate: Path) -> None:
    done = program(
        "run",
        TMDB_BASE_URL=f"https://127.0.0.1:{https.port}/3",
        TMDB_MAX_TRIES="1",
        SSL_CERT_FILE=f"{certificate}.crt",
    )
    # it answers {}, which is no list of genres: but it was asked
    assert done.returncode == 1 and "certificate" not in done.stderr
    assert https.headers and f"Bearer {TOKEN}" in https.headers[0]


def test_answers_are_data(extract: Extract, tmdb: StandIn, zone: Zone) -> None:
    film = tmdb.ids()[2]
    nasty = "'; drop schema raw cascade; -- $$ %s {} \\ \t \x7f %(run)s"
    tmdb.override(film, {"title": nasty, "overview": nasty, nasty: nasty})
    extract(pages=2)
    payload = zone.one(
        "select payload from raw.tmdb_response where resource = 'movie' and resource_id = %s", film
    )
    assert payload["title"] == payload[nasty] == nasty


def test_a_body_larger_than_allowed_is_not_taken_into_memory(
    extract: Extract, tmdb: StandIn, zone: Zone
) -> None:
    from extractor.rows import MAX_BODY

    assert MAX_BODY == 8 << 20
    tmdb.faults = Faults({"huge": 0.5, "huge-length": 0.5}, attempts=99)
    with pytest.raises(SourceError, match="body_too_large"):
        extract(pages=1, max_tries=1)
    # nothing of 40 MB was kept
    assert zone.one("select max(length(body)) from raw.extract_failure") <= 64 << 10
