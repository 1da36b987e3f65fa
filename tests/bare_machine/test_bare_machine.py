"""What the README promises of a minimal Debian 12: its line of packages, then a small `make demo` and a part
of `make test`.

As an ordinary user, without ps, a browser, Docker or the folder of the real films: a test that needs such
a thing is skipped by name there.
"""

import os
import re
import shlex
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.bare_machine import debian
from tests.left_out import missing

USER = "ann"
CERTIFICATES = "/etc/ssl/certs/ca-certificates.crt"

#: A part of the tests that lacks each of these things somewhere: all of them again would double CI's time.
PART = "tests/warehouse/test_server.py tests/preview/test_gallery.py tests/deploy/test_helm.py"

AsUser = Callable[[str], subprocess.CompletedProcess[str]]


@pytest.fixture
def as_user(project_root: Path, tmp_path: Path) -> Iterator[AsUser]:
    """Runs a line of shell in a clone of the project (what is committed) on such a machine."""
    if os.geteuid() != 0:
        pytest.skip("only root can make a bare machine")  # and GitHub's runners are not
    for program in ("debootstrap", "unshare"):
        if not shutil.which(program, path=f"{os.environ['PATH']}:/usr/sbin"):
            missing(f"{program} is missing: apt install debootstrap util-linux")
    (line,) = re.findall(r"`apt install ([\w -]+)`", (project_root / "README.md").read_text())
    root = tmp_path / "machine"
    try:
        debian.debootstrap(root, line.split())
        if Path(CERTIFICATES).exists():  # this machine's way to the registries may have one of its own
            (root / "etc" / "ssl" / "certs").mkdir(parents=True, exist_ok=True)
            shutil.copy(CERTIFICATES, root / CERTIFICATES[1:])
        made = debian.enter(root, ["useradd", "--create-home", "--shell", "/bin/bash", USER])
        assert made.returncode == 0, made.stdout
        home = root / "home" / USER
        subprocess.run(["git", "clone", "--quiet", project_root, home / "tmdb"], check=True)
        owned = debian.enter(root, ["chown", "--recursive", f"{USER}:", f"/home/{USER}"])
        assert owned.returncode == 0, owned.stdout
        pip = {name: value for name, value in os.environ.items() if name in ("PIP_INDEX_URL", "PIP_CERT")}
        # half of pip's time goes into compiling what no test imports
        pip["PIP_NO_COMPILE"] = "1"
        variables = "".join(f"export {name}={shlex.quote(value)}; " for name, value in pip.items())

        def run(line: str) -> subprocess.CompletedProcess[str]:
            return debian.enter(root, ["su", "--login", USER, "--command", f"{variables}cd tmdb; {line}"])

        yield run
    finally:
        shutil.rmtree(root, ignore_errors=True)


@pytest.mark.slow
def test_the_demo_and_the_tests_pass(as_user: AsUser) -> None:
    lacking = ("ps", "chromium", "docker", "curl", "gcc", "psql")
    there = as_user(f"command -v {' '.join(lacking)}")
    assert there.stdout == ""
    demo = as_user("make demo ARGS='--days 3 --films 60 --pages 2'")
    assert demo.returncode == 0, demo.stdout[-5000:]
    assert "What to type next" in demo.stdout
    tests = as_user(f"make test ARGS='{PART}'")
    assert tests.returncode == 0, tests.stdout[-10000:]
    *_, left_out = tests.stdout.rpartition(" left out ")
    assert "chromium and chromedriver are missing: apt install chromium chromium-driver" in left_out
    assert re.search(r"\d+ passed, \d+ skipped", left_out)
