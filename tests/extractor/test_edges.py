"""Signals, locks, files and the environment at their edges: the message, the exit code, and what stays."""

import asyncio
import gzip
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp
import httpx
import pytest

from common.errors import ConfigurationError, StoppedError
from common.files import written_whole
from common.proxy import proxy_for, tls
from common.secret import Secret, redact_all
from demo.server import StandIn
from extractor.choice import export
from extractor.connection import opened
from extractor.errors import FailedError
from extractor.http import retry_after, status_error
from extractor.values import today
from tests import programs
from tests.extractor.conftest import DAY, HOOK_KEY, Extract, Hook, Program, Start, Zone, wait_for
from tests.left_out import slow_but
from warehouse import advisory
from warehouse.environment import PROJECT
from warehouse.errors import LockedError

HERE = socket.gethostname()[:24]


def dead_pid() -> int:
    """The number of a process that has ended."""
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


@contextmanager
def lock_held_by(zone: Zone, name: str, seconds: float) -> Iterator[threading.Event]:
    """A session of that name holds the writer's lock for so long, from when somebody asks for it."""
    held, released = threading.Event(), threading.Event()

    def hold() -> None:
        with zone.connection() as session:
            session.execute("select set_config('application_name', %s, false)", [name])
            session.execute("select pg_advisory_lock(%s)", [advisory.EXTRACTION])
            held.set()
            released.wait(seconds)

    thread = threading.Thread(target=hold)
    thread.start()
    held.wait(60)
    yield released
    released.set()
    thread.join()


async def take_the_lock() -> None:
    async with opened(locked=True):
        pass


class TestLock:
    @pytest.mark.parametrize("holder", slow_but(1, ["dead", "own number", "elsewhere"]))
    def test_a_holder_that_is_going_away_is_waited_for(self, zone: Zone, holder: str) -> None:
        """Its session lingers on the server. A restarted container has its predecessor's number."""
        pid = {"dead": dead_pid(), "own number": os.getpid(), "elsewhere": 1}[holder]
        host = "another-machine" if holder == "elsewhere" else HERE
        with lock_held_by(zone, f"tmdb-elt extractor pid={pid} host={host}", 1.0):
            asyncio.run(take_the_lock())

    def test_one_that_never_goes_is_named_in_the_end(
        self, zone: Zone, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(advisory, "_LINGER_GONE", 0.3)
        pid = dead_pid()
        with (
            lock_held_by(zone, f"tmdb-elt extractor pid={pid} host={HERE}", 60),
            pytest.raises(LockedError, match=f"another extractor is at work.*process {pid} on {HERE}"),
        ):
            asyncio.run(take_the_lock())

    def test_one_at_work_is_not_waited_for(self, zone: Zone) -> None:
        with (
            lock_held_by(zone, f"tmdb-elt extractor pid={os.getppid()} host={HERE}", 60) as released,
            pytest.raises(LockedError, match=r"process \d+ on .*Wait until it has ended, or stop it"),
        ):
            asyncio.run(take_the_lock())
        assert released.is_set()


class TestSession:
    def test_where_nothing_can_be_written_the_run_says_so_at_once(self, program: Program, zone: Zone) -> None:
        options = "-c default_transaction_read_only=on"
        done = program("run", PGOPTIONS=options)
        assert done.returncode == 2 and "takes no writes" in done.stderr, done.stderr
        assert len(done.stderr.splitlines()) == 1
        assert zone.one("select to_regnamespace('raw') is null")
        assert program("status", PGOPTIONS=options).returncode == 0

    def test_what_role_or_database_set_changes_nothing(
        self, program: Program, extract: Extract, zone: Zone
    ) -> None:
        name = zone.variables["PGDATABASE"]
        for setting in (
            "datestyle = 'German, DMY'",
            "timezone = 'Pacific/Kiritimati'",
            "statement_timeout = '5s'",
            "idle_session_timeout = '1s'",
        ):
            zone.execute(f"alter database {name} set {setting}")
        extract(pages=1)
        assert zone.rows("select status from raw.extract_run") == [("finished",)]
        assert program("status").returncode == 0
        assert json.loads(program("status", "--json").stdout)["dates"][0]["snapshot_date"] == str(DAY)
        done = program("prune", "--keep-days", "3650")
        assert done.returncode == 0 and "nothing to drop" in done.stdout


class TestFiles:
    @pytest.mark.slow
    def test_two_dumps_to_one_name_at_once(
        self, program: Program, extract: Extract, zone: Zone, tmp_path: Path
    ) -> None:
        extract(pages=10)
        file = tmp_path / "all.jsonl.gz"
        with ThreadPoolExecutor(3) as pool:
            ended = list(pool.map(lambda _: program("dump", str(file)), range(3)))
        codes = sorted(done.returncode for done in ended)
        assert codes == [0, 2, 2]
        assert all("exists: name another file" in done.stderr for done in ended if done.returncode == 2)
        with gzip.open(file, "rt") as lines:
            rows = [json.loads(line) for line in lines]
        assert len(rows) == zone.one("select count(*) from raw.tmdb_response")
        assert [path.name for path in tmp_path.iterdir()] == [file.name]

    @pytest.mark.parametrize("name", ["x", "x" * 255])
    def test_a_file_is_there_whole_or_not_at_all(self, tmp_path: Path, name: str) -> None:
        path = tmp_path / name
        with pytest.raises(ZeroDivisionError), written_whole(path) as stream:
            stream.write(b"half")
            raise ZeroDivisionError
        assert list(tmp_path.iterdir()) == []
        with pytest.raises(FileExistsError), written_whole(path) as stream:
            path.write_bytes(b"of another, who was faster")
            stream.write(b"mine")
        assert path.read_bytes() == b"of another, who was faster" and len(list(tmp_path.iterdir())) == 1
        with written_whole(path, replace=True) as stream:
            stream.write(b"mine")
        assert path.read_bytes() == b"mine" and path.stat().st_mode & 0o777 == 0o600

    @pytest.mark.parametrize(
        ("change", "said"),
        [
            ({"resource_id": -5}, "movie -5 can't be"),
            ({"resource_id": 1 << 63}, "can't be: films have ids above 0 that fit 63 bits"),
            ({"resource_id": True}, "resource_id 'True' is no whole number"),
            ({"http_status": 404.0}, "http_status '404.0' is no whole number"),
            ({"http_status": True}, "http_status 'True' is no whole number"),
            ({"http_status": 1 << 20}, "is neither 200 nor a film's 404"),
            ({"snapshot_date": "0202-01-31"}, "must be a date from 2008-01-01, when TMDB began"),
            ({"snapshot_date": "9999-01-02"}, "must be a date from 2008-01-01"),
            ({"language": 7}, "language '7' is no text"),
        ],
    )
    def test_what_cannot_be_in_a_file_is_refused_with_its_line(
        self, program: Program, zone: Zone, tmp_path: Path, change: dict[str, Any], said: str
    ) -> None:
        gone = {"success": False, "status_code": 34, "status_message": "…"}
        row = {"resource": "movie", "resource_id": 5, "snapshot_date": "2026-01-02", "http_status": 404}
        file = tmp_path / "rows.jsonl"
        lines = [row | {"payload": gone}, row | {"payload": gone, "resource_id": 6} | change]
        file.write_text("\n".join(map(json.dumps, lines)))
        done = program("load", str(file))
        assert done.returncode == 2 and "Traceback" not in done.stderr
        assert f"{file}, line 2: " in done.stderr and said in done.stderr
        assert zone.rows("select resource_id from raw.tmdb_response") == [(5,)]


class TestDates:
    @pytest.mark.parametrize("date", ["0001-01-02", "0202-01-31", "2007-12-31", "2062-11-25", "9999-01-02"])
    @pytest.mark.parametrize(
        ("words", "variable"),
        [
            (["run", "--snapshot-date"], "TMDB_SNAPSHOT_DATE"),
            (["load", "x", "--date"], "TMDB_LOAD_DATE"),
            (["dump", "--from"], "TMDB_DUMP_FROM"),
        ],
    )
    def test_one_that_no_snapshot_can_have(
        self, program: Program, words: list[str], variable: str, date: str
    ) -> None:
        done = program(*words, date)
        assert done.returncode == 2 and "Traceback" not in done.stderr
        assert (
            f"{variable}='{date}' must be a date from 2008-01-01, when TMDB began, to tomorrow" in done.stderr
        )

    def test_tomorrow_is_one_somewhere(self, program: Program) -> None:
        done = program(
            "run", "--dry-run", "--pages", "1", "--snapshot-date", str(today() + timedelta(days=1))
        )
        assert "TMDB_SNAPSHOT_DATE" not in done.stderr

    @pytest.mark.parametrize(
        "text",
        [
            "Fri, 31 Dec 99999 23:59:59 GMT",
            "Fri, 31 Dec 9999 23:59:59 -2359",
            "31 Dec 12345",
            "1e400",
            "-1e999",
        ],
    )
    def test_a_retry_after_beyond_all_dates(self, text: str) -> None:
        assert retry_after(text, datetime(2026, 1, 1, tzinfo=UTC)) in (None, 0.0, 120.0)

    def test_a_proxy_that_wants_a_password_is_not_tmdb(self) -> None:
        error = status_error(407, b"", httpx.Headers())
        assert type(error) is FailedError and "HTTP_PROXY" in error.detail

    @pytest.mark.parametrize("popularity", [1e305, 1.7e308, -1e305, 1e12, 0.0])
    def test_a_popularity_beyond_all_bounds_sorts_where_it_belongs(self, popularity: float) -> None:
        keys = [export._key(film, value) for film, value in ((1, popularity), (2, 5.0))]
        assert (keys[0] < keys[1]) is (popularity > 5) and all(0 <= key < 1 << 63 for key in keys)


class TestSignals:
    @pytest.mark.parametrize("package", ["extractor", "tools", "warehouse"])
    def test_ctrl_c_while_a_program_is_loaded_is_no_fault(self, package: str, project_root: Path) -> None:
        words = [sys.executable, "-c", f"import {package}; raise KeyboardInterrupt"]
        done = subprocess.run(words, cwd=project_root, capture_output=True, check=False)
        assert (done.returncode, done.stderr) == (-signal.SIGINT, b"")

    @pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
    def test_one_that_ends_a_backup_lets_it_clear_away(
        self, number: signal.Signals, project_root: Path
    ) -> None:
        script = f"""
import os, warehouse.cli
def ended(): os.kill(os.getpid(), {number:d})
warehouse.cli.connection.ensure = ended
try: warehouse.cli.main(["start"])
finally: print("cleared away")
"""
        done = subprocess.run(
            [sys.executable, "-c", script], cwd=project_root, capture_output=True, check=False
        )
        assert (done.returncode, done.stdout) == (128 + number, b"cleared away\n"), done.stderr

    @pytest.mark.slow
    def test_a_signal_that_is_ignored_stays_ignored(
        self, environment: dict[str, str], project_root: Path, tmdb: StandIn, zone: Zone
    ) -> None:
        """`nohup … &`, and then the terminal goes."""
        process = subprocess.Popen(
            [sys.executable, "-m", "extractor", "run"],
            cwd=project_root,
            env={**environment, "TMDB_MAX_RPS": "40", "TMDB_PAGES": "3"},
            stderr=subprocess.DEVNULL,
            preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN),
        )
        wait_for(lambda: tmdb.traffic.count("/3/movie/") >= 5)
        process.send_signal(signal.SIGHUP)
        assert process.wait(60) == 0
        assert zone.last_run()["status"] == "finished"

    @pytest.mark.slow
    @pytest.mark.parametrize("signals", [1, 2])
    def test_a_dump_that_nobody_reads_ends_and_says_what_stays(
        self, environment: dict[str, str], project_root: Path, extract: Extract, zone: Zone, signals: int
    ) -> None:
        extract(pages=15)
        process = subprocess.Popen(
            [sys.executable, "-m", "extractor", "dump"],
            cwd=project_root,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        assert process.stdout is not None and process.stderr is not None
        process.stdout.read(1)  # it has begun; from now on nobody reads
        time.sleep(0.5)
        for number in range(signals):
            process.send_signal(signal.SIGTERM)
            time.sleep(0.5 * (number == 0))
        assert process.wait(60) == 143
        said = process.stderr.read().decode()
        assert "goes on where it stopped" not in said and "Traceback" not in said
        assert "SIGTERM" in said
        process.stdout.close()
        process.stderr.close()

    @pytest.mark.slow
    def test_the_webhook_hears_of_a_run_that_cannot_end(self, project_root: Path, hook: Hook) -> None:
        program = (
            "import asyncio\n"
            "import httpx\n"
            "from common import signals\n"
            "from common.program import Program\n"
            "signals.LAST_WORD_SECONDS = 30\n"  # this machine may be busy
            "from extractor import cli\n"
            "async def stuck():\n"
            "    print('ready', flush=True)\n"
            "    while True:\n"
            "        try:\n"
            "            await asyncio.sleep(60)\n"
            "        except asyncio.CancelledError:\n"
            "            pass\n"
            "program = Program()\n"
            f"program.use_webhook({hook.url!r})\n"
            "program.log_at()\n"
            "cli._execute_run(stuck(), program)\n"
        )
        process = subprocess.Popen(
            [sys.executable, "-c", program],
            cwd=project_root,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        assert process.stdout is not None and process.stderr is not None
        process.stdout.readline()
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 143
        (told,) = hook.contents()
        assert (told["status"], told["exit_code"]) == ("interrupted", 143)
        said = process.stderr.read().decode()
        assert "the same command goes on where it stopped" in said and HOOK_KEY not in said
        process.stdout.close()
        process.stderr.close()

    def test_one_that_cannot_end_in_order_says_why_and_ends_by_the_signal(self, project_root: Path) -> None:
        """As when PostgreSQL went away and what is in hand can't be landed."""
        script = """
import asyncio, os, sys
from common import signals
from common.errors import ProgramError
async def work():
    os.kill(os.getpid(), 15)
    try: await asyncio.sleep(60)
    finally: raise ProgramError("PostgreSQL could not be used")
try: signals.execute(work())
except ProgramError as error: sys.exit(f"{error}, {error.exit_code}")
"""
        done = subprocess.run(
            [sys.executable, "-c", script], cwd=project_root, capture_output=True, text=True, check=False
        )
        assert done.stderr.endswith("PostgreSQL could not be used, 143\n")

    def test_a_run_says_that_it_goes_on(self, start: Start, tmdb: StandIn, zone: Zone) -> None:
        process = start()
        wait_for(lambda: tmdb.traffic.count("/3/movie/") >= 20)
        process.send_signal(signal.SIGTERM)
        _, said = process.communicate(timeout=60)
        assert process.returncode == 143 and "the same command goes on where it stopped" in said
        assert StoppedError("x", 143).exit_code == 143


class TestEnvironment:
    @pytest.mark.parametrize("content", [None, "no certificate"])
    def test_certificates_that_cannot_be_used(
        self, program: Program, tmp_path: Path, content: str | None
    ) -> None:
        file = tmp_path / "authorities.pem"
        if content is not None:
            file.write_text(content)
        done = program("run", SSL_CERT_FILE=str(file))
        assert done.returncode == 2 and "Traceback" not in done.stderr
        assert f"SSL_CERT_FILE={file} can't be used for TLS" in done.stderr and "PEM" in done.stderr

    def test_a_folder_of_them_that_trusts_nobody(self, program: Program, tmp_path: Path) -> None:
        for folder in (tmp_path / "none", tmp_path / "empty"):
            (tmp_path / "empty").mkdir(exist_ok=True)
            done = program("run", SSL_CERT_FILE=None, SSL_CERT_DIR=str(folder))
            assert done.returncode == 2 and f"SSL_CERT_DIR={folder} can't be used" in done.stderr

    def test_without_the_variable_it_is_our_own_fault(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("SSL_CERT_FILE", raising=False)
        assert tls().check_hostname

    @pytest.mark.parametrize(
        ("proxy", "taken"),
        [
            ("proxy.example:3128", "http://proxy.example:3128"),
            ("http://proxy.example:3128", "http://proxy.example:3128"),
            ("me:pa55@proxy.example:3128", "http://me:pa55@proxy.example:3128"),
            ("https://proxy.example", "https://proxy.example"),
        ],
    )
    def test_a_proxy_without_a_scheme_is_http(
        self, monkeypatch: pytest.MonkeyPatch, proxy: str, taken: str
    ) -> None:
        monkeypatch.setenv("HTTPS_PROXY", proxy)
        assert proxy_for("https://api.themoviedb.org/3") == taken
        httpx.Proxy(taken)

    def test_one_for_all_schemes_serves_where_there_is_no_other(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("ALL_PROXY", "proxy.example:3128")
        assert proxy_for("https://api.themoviedb.org/3") == "http://proxy.example:3128"
        monkeypatch.setenv("ALL_PROXY", "socks5://proxy.example")
        with pytest.raises(ConfigurationError, match="ALL_PROXY names a SOCKS proxy"):
            proxy_for("https://api.themoviedb.org/3")
        monkeypatch.setenv("NO_PROXY", "api.themoviedb.org:8443")
        assert proxy_for("https://api.themoviedb.org:8443/3") is None

    @pytest.mark.parametrize(
        ("proxy", "said"),
        [
            ("socks5://me:pa55@127.0.0.1:1080", "a SOCKS proxy .*not supported"),
            ("socks5h://127.0.0.1:1080", "a SOCKS proxy"),
            ("ftp://proxy.example", "of an unknown kind"),
            ("http://", "names no proxy"),
            ("http://proxy.example:99999", "names no proxy"),
            ("a proxy", "names no proxy"),
            ("http://[::1", "names no proxy"),
            ("http://proxy..example:3128", "names no proxy"),
            ("http://us%3Aer:k3y@proxy.example:3128", "names no proxy"),
            ("http://user:k3y\udcff@proxy.example:3128", "names no proxy"),
        ],
    )
    def test_one_that_cannot_be_used_is_named(
        self, monkeypatch: pytest.MonkeyPatch, proxy: str, said: str
    ) -> None:
        monkeypatch.setenv("HTTPS_PROXY", proxy)
        with pytest.raises(ConfigurationError, match=f"HTTPS_PROXY .*{said}") as told:
            proxy_for("https://api.themoviedb.org/3")
        assert "pa55" not in str(told.value) and told.value.exit_code == 2

    def test_a_run_says_so_before_anything_is_written(self, program: Program, zone: Zone) -> None:
        done = program(
            "run", TMDB_BASE_URL="https://api.themoviedb.org/3", HTTPS_PROXY="socks5://localhost:1080"
        )
        assert done.returncode == 2 and "SOCKS" in done.stderr and "Traceback" not in done.stderr
        assert zone.one("select to_regnamespace('raw') is null")


class TestForget:
    @pytest.mark.parametrize(
        ("words", "said"),
        [
            (["--date", "2026-01-02"], "has no tables of this version yet: make dbt. Nothing was changed"),
            (["--film", str(1 << 63)], "is not TMDB's number of a film"),
            (["--date", "soon"], "'soon' is not a date"),
        ],
    )
    def test_what_cannot_be_forgotten(
        self, environment: dict[str, str], project_root: Path, zone: Zone, words: list[str], said: str
    ) -> None:
        done = programs.run("tools.forget", words, cwd=project_root, env=environment)
        assert done.returncode == 2 and said in done.stderr and done.stdout == ""


class TestStandardOutput:
    """Full, closed or without the letters: one line, and what was not written is no success."""

    @pytest.mark.parametrize("command", [["status"], ["status", "--json"], ["prune", "--keep-days", "99"]])
    def test_full(self, environment: dict[str, str], project_root: Path, command: list[str]) -> None:
        with Path("/dev/full").open("w") as full:
            done = self._run(environment, project_root, command, full)
        assert done.returncode == 1 and len(done.stderr.splitlines()) == 1, done.stderr
        assert "cannot write to standard output: No space left on device" in done.stderr

    def test_closed(self, environment: dict[str, str], project_root: Path, extract: Extract) -> None:
        extract(pages=1)
        for words in ("status", "dump", "--version"):
            shell = ["sh", "-c", f"exec {sys.executable} -m extractor {words} <&- >&-"]
            done = subprocess.run(
                shell, cwd=project_root, env=environment, capture_output=True, text=True, check=False
            )
            assert done.returncode == 1 and "Bad file descriptor" in done.stderr, done.stderr
            assert len(done.stderr.splitlines()) == 1 and "dumped" not in done.stderr

    def test_in_ascii(
        self, environment: dict[str, str], project_root: Path, zone: Zone, extract: Extract
    ) -> None:
        extract(pages=1)
        zone.execute("update raw.extract_run set error = 'Amélie, 千と千尋'")
        done = self._run(environment | {"PYTHONIOENCODING": "ascii"}, project_root, ["status"], None)
        assert done.returncode == 0 and "Am?lie" in done.stdout

    def _run(
        self, environment: dict[str, str], folder: Path, words: list[str], stdout: Any
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "extractor", *words],
            cwd=folder,
            env=environment,
            stdout=stdout or subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )


class TestSecrets:
    def test_a_token_that_is_too_short_to_be_one(self, program: Program) -> None:
        done = program("run", TMDB_TOKEN="e")
        assert done.returncode == 2 and "TMDB_TOKEN has fewer than 8 characters" in done.stderr
        assert "[redacted]" not in done.stderr

    def test_the_longest_goes_first(self) -> None:
        secrets = [Secret("secret-one"), Secret("secret-one-and-more"), Secret("e")]
        assert (
            redact_all("secret-one-and-more, secret-one, hello", secrets) == "[redacted], [redacted], hello"
        )


def test_the_private_attribute_that_the_pace_rests_on_is_there() -> None:
    """`extractor/http.py` sets `ClientSession._retry_connection`, its only private name of a library: an
    upgrade that moves it must be noticed.
    """
    assert "_retry_connection" in aiohttp.ClientSession.ATTRS
    source = (PROJECT / "extractor" / "http.py").read_text()
    assert re.findall(r"(?<!self)\._[a-z]\w*", source) == ["._retry_connection"]
