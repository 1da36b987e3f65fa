"""`python -m demo serve`, and the stand-in as a process of its own."""

import json
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from datetime import date
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from click.testing import CliRunner

from demo.cli import main
from demo.server import StandIn, StandInProcess


def _serve(root: Path, *options: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-m", "demo", "serve", *options],
        cwd=root,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.parametrize("stop", [signal.SIGTERM, signal.SIGINT])
def test_it_prints_one_line_and_ends_cleanly(project_root: Path, stop: signal.Signals) -> None:
    with _serve(project_root, "--films", "5", "--token", "secret", "--faults", "hang=1") as process:
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        assert url.startswith("http://127.0.0.1:")
        assert url.endswith("/3")
        address = ("127.0.0.1", int(url.split(":")[2].split("/")[0]))
        with socket.create_connection(address) as hanging:
            hanging.sendall(b"GET /3/movie/3 HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer secret\r\n\r\n")
            process.send_signal(stop)
            rest, said = process.communicate(timeout=60)
    assert (process.returncode, rest, said) == (0, "", "")


def test_a_port_that_is_taken(project_root: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with _serve(project_root, "--films", "5", "--port", str(port)) as process:
            out, said = process.communicate(timeout=60)
    assert (process.returncode, out) == (2, "")
    assert f"cannot listen on 127.0.0.1:{port}: " in said
    assert "Choose another --port" in said
    assert "Traceback" not in said


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--films", "0"], "0 is not in the range"),
        (["--films", "1000001"], "1000001 is not in the range"),
        (["--date", "2026-02-30"], "does not match the format"),
        (["--date", "1999-12-31"], "days from 2005-01-01 to 2099-12-31, not for 1999-12-31"),
        (["--data", "nowhere.jsonl"], "'nowhere.jsonl' does not exist"),
        (["--data", "{here}/words.txt"], "words.txt, line 1: not JSON"),
        (["--faults", "500"], "'500' is not of the form NAME=VALUE"),
    ],
)
def test_wrong_use_is_named(tmp_path: Path, options: list[str], message: str) -> None:
    (tmp_path / "words.txt").write_text("not films")
    done = CliRunner().invoke(main, ["serve", *(option.format(here=tmp_path) for option in options)])
    assert (done.exit_code, done.stdout) == (2, "")
    assert message in done.stderr


def test_a_process_is_controlled_from_outside() -> None:
    with StandInProcess("--films", "20", "--date", "2026-07-15", token="other") as tmdb:
        request = urllib.request.Request(
            f"{tmdb.base_url}/discover/movie", headers={"Authorization": "Bearer other"}
        )

        def popularity() -> float:
            with urllib.request.urlopen(request, timeout=10) as answer:
                return float(json.load(answer)["results"][0]["popularity"])

        before = popularity()
        assert tmdb.today == date(2026, 7, 15)
        tmdb.today = date(2026, 7, 16)
        assert tmdb.today == date(2026, 7, 16)
        assert popularity() != before
        assert tmdb.stats()["requests"] == 2
        tmdb.inject("500=1,attempts=1", seed=3)
        with pytest.raises(urllib.error.HTTPError, match="500"):
            popularity()
        assert tmdb.stats()["faults"] == {"500": 1}
        assert tmdb.stats()["statuses"] == {"200": 2, "500": 1}
        tmdb.inject("")
        tmdb.reset()
        assert tmdb.stats()["requests"] == 0
        with pytest.raises(urllib.error.HTTPError, match="400"):
            tmdb.today = date(1999, 1, 1)
        with urllib.request.urlopen(f"{tmdb.export_url}/movie_ids_07_16_2026.json.gz", timeout=10) as file:
            assert file.read(2) == b"\x1f\x8b"


def test_a_process_does_not_outlive_its_caller(project_root: Path) -> None:
    lines = (
        "from demo.server import StandInProcess",
        "import os, signal",
        "with StandInProcess('--films', '5') as tmdb:",
        "    print(tmdb.base_url, flush=True)",
        "    os.kill(os.getpid(), signal.SIGKILL)",
    )
    killed = subprocess.run(
        [sys.executable, "-c", "\n".join(lines)], cwd=project_root, capture_output=True, text=True, timeout=30
    )
    assert killed.returncode == -signal.SIGKILL
    with pytest.raises(OSError, match=r"refused|reset|closed"):
        for _ in range(100):
            urllib.request.urlopen(killed.stdout.strip().removesuffix("/3") + "/_demo", timeout=5).close()
            time.sleep(0.05)


def test_a_process_that_does_not_start_says_why() -> None:
    with pytest.raises(RuntimeError, match="0 is not in the range"), StandInProcess("--films", "0"):
        pass


def test_controls_are_for_this_machine_only() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as route:
        try:
            route.connect(("192.0.2.1", 9))
        except OSError:
            pytest.skip("this machine has no address but its own loopback")
        outer = route.getsockname()[0]
    with StandIn(films=5, host="0.0.0.0", today=date(2026, 7, 15)) as stand_in:
        port = urlsplit(stand_in.base_url).port
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/_demo", timeout=5) as answer:
            assert json.load(answer)["date"] == "2026-07-15"
        with pytest.raises(urllib.error.HTTPError, match="403"):
            urllib.request.urlopen(f"http://{outer}:{port}/_demo", timeout=5)
