"""`make test` says in its last lines what it left out."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

CONFTEST = """
from tests.left_out import LeftOut

def pytest_addoption(parser):
    parser.addoption("--slow", action="store_true")

def pytest_configure(config):
    config.addinivalue_line("markers", "slow: not for everybody")
    config.pluginmanager.register(LeftOut())
"""
TESTS = """
import pytest
from tests.left_out import missing, slow_but

@pytest.mark.slow
@pytest.mark.parametrize("number", range(2))
def test_slow(number): pass

@pytest.mark.parametrize("number", slow_but(1, range(3)))
@pytest.mark.parametrize(("a", "b"), slow_but(1, {"x": 1, "y": 2}.items()))
def test_few(number, a, b): assert (a, b) in (("x", 1), ("y", 2))

@pytest.mark.parametrize("number", range(5))
def test_many(number): missing("ps is missing: apt install procps")

def test_alone(): missing("curl is missing")

def test_passes(): pass
"""


@pytest.fixture
def pytest_on(tmp_path: Path, project_root: Path) -> subprocess.CompletedProcess[str]:
    """Runs pytest with the plugin on these tests."""
    (tmp_path / "conftest.py").write_text(CONFTEST)
    (tmp_path / "test_it.py").write_text(TESTS)

    def run(*options: str, ci: str = "") -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "pytest", "-c", os.devnull, "-p", "no:cacheprovider", *options, tmp_path],
            cwd=project_root,
            env={**os.environ, "CI": ci},
            capture_output=True,
            text=True,
            check=False,
        )

    return run


@pytest.mark.slow
def test_the_last_lines_name_it(pytest_on) -> None:
    done = pytest_on("--numprocesses", "2")
    assert done.returncode == 0, done.stdout
    _heading, *lines, closing = done.stdout[done.stdout.index("= left out =") :].splitlines()
    assert [line.strip().rpartition("/")[2] for line in lines if line.strip()] == [
        "1 test skipped: curl is missing",
        "test_it.py::test_alone",
        "5 tests skipped: ps is missing: apt install procps",
        "test_it.py (5)",
        "7 slow tests not run: make test SLOW=1 runs them, too",
    ]
    assert "2 passed, 6 skipped" in closing


def test_what_is_asked_for_runs_and_in_ci_nothing_is_missing(pytest_on) -> None:
    assert "slow tests not run" not in pytest_on("-m", "slow").stdout
    done = pytest_on("--slow", ci="true")
    assert done.returncode == 1
    assert "6 failed, 9 passed" in done.stdout
    assert "Failed: ps is missing: apt install procps" in done.stdout
