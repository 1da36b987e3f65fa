"""The Makefile and the programs beside it, in a copy of the project whose path has a space."""

import os
import re
import shutil
import socket
import stat
import subprocess
import sys
import threading
import urllib.request
from pathlib import Path

import pytest

TARGETS = {
    *(
        "elt",
        "extract",
        "dbt",
        "demo",
        "load",
        "dump",
        "prune",
        "status",
        "check",
        "preview",
        "metabase",
        "psql",
        "docs",
        "docs-serve",
    ),
    *("preview", "metabase", "backup", "restore", "up", "up-demo", "down", "logs"),
    *(
        "schedule",
        "test-docker",
        "parquet",
        "forget",
        "start",
        "stop",
        "env",
        "setup",
        "test",
        "fuzz",
        "lint",
        "format",
        "bench",
        "lock",
        "clean",
        "help",
    ),
}


@pytest.fixture
def project(project_root: Path, tmp_path: Path) -> Path:
    """A copy of what `make` needs; its .venv is a stand-in that writes down what it is asked to run.

    It fails where FAIL holds a part of the command.
    """
    copy = tmp_path / "a project"
    copy.mkdir()
    for name in ("Makefile", ".env.example"):
        shutil.copy(project_root / name, copy)
    for name in ("tools", "requirements"):
        shutil.copytree(project_root / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
    programs = copy / ".venv" / "bin"
    programs.mkdir(parents=True)
    script = '#!/bin/sh\necho "$@" >>asked\ncase "$*" in *"${FAIL:-nothing fails}"*) exit 3;; esac\n'
    (programs / "python").write_text(script)
    (programs / "python").chmod(0o755)
    (copy / ".venv" / "ready").touch()
    (copy / ".venv" / "location").write_text(f"{copy}\n")
    return copy


def make(project: Path, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    plain = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))}
    return subprocess.run(
        ["make", *arguments],
        cwd=project,
        # a shell says by which links one came
        env={**plain, "PWD": str(project), **variables},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def asked(project: Path) -> list[str]:
    """The command lines that the stand-in for Python got."""
    return (project / "asked").read_text().splitlines() if (project / "asked").exists() else []


def test_make_alone_prints_every_target_with_one_line(project: Path) -> None:
    shown = make(project)
    assert shown.returncode == 0
    lines = dict(re.findall(r"^  ([a-z-]+) +(\S.*)$", shown.stdout, re.MULTILINE))
    assert set(lines) == TARGETS
    defined = re.findall(r"^([a-z][a-z-]*):", (project / "Makefile").read_text(), re.MULTILINE)
    assert set(defined) == TARGETS
    assert max(len(line) for line in shown.stdout.splitlines()) <= 110
    assert asked(project) == []


def test_elt_passes_its_variables_to_both_steps(project: Path) -> None:
    done = make(
        project, "elt", "MODE=export", "LIMIT=1000", "DATE=2026-01-02", "PAGES=3", "SELECT=dim_movie+"
    )
    assert done.returncode == 0, done.stderr
    assert asked(project) == [
        "-m tools.elt --mode export --pages 3 --limit 1000 --snapshot-date 2026-01-02 -- --select dim_movie+"
    ]


def test_elt_fails_when_a_step_does(project: Path) -> None:
    failed = make(project, "elt", FAIL="tools.elt")
    assert failed.returncode != 0 and "Error 3" in failed.stderr


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (
            ["dbt", "SELECT=dim_movie+", "FULL_REFRESH=1"],
            "--build-only -- --select dim_movie+ --full-refresh",
        ),
        (["psql", "ARGS=-c 'select 1'"], "-m warehouse psql -- -c select 1"),
        (["demo"], "-m demo run"),
        (["prune", "KEEP_DAYS=90", "DRY_RUN=1"], "-m extractor prune --keep-days 90 --dry-run"),
        (["load", "FILE=a b.gz", "DATE=2026-01-02"], "-m extractor load --date 2026-01-02 -- a b.gz"),
        (["dump", "FROM=2026-01-02", "FILE=a b.gz"], "-m extractor dump --from 2026-01-02 -- a b.gz"),
        (["check"], "-m tools.check"),
        (["extract", "DRY_RUN=1", "MIN_POPULARITY=1.5"], "--min-popularity 1.5 --dry-run"),
        (["stop"], "-m warehouse stop"),
        (["backup"], "-m warehouse backup"),
        (["backup", "FILE=a b.dump"], "-m warehouse backup -- a b.dump"),
        (["restore", "FILE=a b.dump", "REPLACE=1"], "-m warehouse restore --replace -- a b.dump"),
        (["test", "ARGS=tests/warehouse"], "--dist loadfile --no-loadscope-reorder tests/warehouse"),
    ],
)
def test_a_target_passes_its_variables_on(arguments: list[str], expected: str, project: Path) -> None:
    done = make(project, *arguments)
    assert done.returncode == 0, done.stderr
    assert expected in asked(project)[-1]


#: What shells, systems and other projects export; each is also an option of a target of ours.
EXPORTED = {
    **{
        "MODE": "x",
        "PAGES": "x",
        "LIMIT": "x",
        "MIN_POPULARITY": "x",
        "DATE": "Thu Nov 26",
        "TRACK_DAYS": "x",
    },
    **{"MAX_RPS": "x", "MAX_CONNECTIONS": "x", "DRY_RUN": "1", "SELECT": "x", "FULL_REFRESH": "1"},
    **{"FILE": "/etc/passwd", "FROM": "x", "TO": "x", "KEEP_DAYS": "1", "REPLACE": "1", "ARGS": "--x"},
    **{"PORT": "3000", "UPGRADE": "1", "SLOW": "1"},
}


@pytest.mark.parametrize(
    "target", ["elt", "extract", "dbt", "dump", "prune", "backup", "test", "lock", "psql"]
)
def test_what_is_exported_is_no_option(target: str, project: Path) -> None:
    assert make(project, target, **EXPORTED).returncode == 0
    exported = asked(project)
    assert make(project, target).returncode == 0
    assert asked(project) == exported * 2


@pytest.mark.parametrize("target", ["load", "restore"])
def test_a_file_that_is_exported_is_none(target: str, project: Path) -> None:
    for variables in ({}, EXPORTED):
        refused = make(project, target, **variables)
        assert refused.returncode == 2
        assert f"make {target}: name the" in refused.stderr
    assert asked(project) == []


@pytest.mark.parametrize(
    "name", ["a b.gz", "it's.gz", '"quoted".gz', "a$HOME.gz", "$(date).gz", "ü*;&|<>.gz", "-x"]
)
@pytest.mark.parametrize("target", ["load", "dump", "restore", "backup"])
def test_a_files_name_arrives_as_it_is(name: str, target: str, project: Path) -> None:
    (project / ".venv" / "bin" / "python").write_text('#!/bin/sh\nfor word; do echo "$word" >>asked; done\n')
    done = make(project, target, f"FILE={name}")
    assert done.returncode == 0, done.stderr
    assert asked(project)[-2:] == ["--", name]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["load", "ARGS='my file.jsonl' \"it's.gz\""], ["my file.jsonl", "it's.gz"]),
        (["psql", "ARGS=-c 'select $1'"], ["-c", "select $1"]),
        (["elt", "DATE=it's", "SELECT=tag:a b"], ["--snapshot-date", "it's", "--", "--select", "tag:a b"]),
    ],
)
def test_words_with_quotes_are_the_shells(arguments: list[str], words: list[str], project: Path) -> None:
    (project / ".venv" / "bin" / "python").write_text('#!/bin/sh\nfor word; do echo "$word" >>asked; done\n')
    done = make(project, *arguments)
    assert done.returncode == 0, done.stderr
    assert asked(project)[-len(words) :] == words


@pytest.mark.parametrize("value", ["0", "no", "false", "off", ""])
def test_a_switch_that_says_no_is_off(value: str, project: Path) -> None:
    assert make(project, "dbt", f"FULL_REFRESH={value}").returncode == 0
    assert make(project, "prune", "KEEP_DAYS=9", f"DRY_RUN={value}").returncode == 0
    assert asked(project) == ["-m tools.elt --build-only --", "-m extractor prune --keep-days 9"]


def test_env_makes_the_configuration_once_and_privately(project: Path) -> None:
    assert "made .env" in make(project, "env").stdout
    made = (project / ".env").read_text()
    assert stat.S_IMODE((project / ".env").stat().st_mode) == 0o600
    assert "left as it is" in make(project, "env").stdout
    assert (project / ".env").read_text() == made


def test_env_names_a_configuration_that_it_cannot_read(project: Path) -> None:
    (project / ".env").write_bytes("TMDB_TOKEN=é\n".encode("latin-1"))
    refused = make(project, "env")
    assert "make env: .env is not UTF-8" in refused.stderr
    assert "Traceback" not in refused.stderr


def test_clean_keeps_data_and_configuration(project: Path) -> None:
    kept = [".warehouse/data/PG_VERSION", ".env", ".venv/bin/python", ".warehouse/data/__pycache__/x"]
    gone = ["build/docs/index.html", "dbt_project/target/manifest.json", "tools/__pycache__/serve.pyc"]
    for name in kept + gone:
        (project / name).parent.mkdir(parents=True, exist_ok=True)
        (project / name).touch()
    assert make(project, "clean").returncode == 0
    assert [name for name in kept + gone if (project / name).exists()] == kept


def path_with(folder: Path, *programs: str, **scripts: str) -> str:
    """A PATH with only these programs of the system, and these scripts."""
    folder.mkdir()
    for program in programs:
        found = shutil.which(program)
        assert found, program
        (folder / program).symlink_to(found)
    for name, text in scripts.items():
        (folder / name).write_text(f"#!/bin/sh\n{text}\n")
        (folder / name).chmod(0o755)
    return str(folder)


BASICS = ("sh", "make", "cat", "grep", "rm")
OLD_PYTHON = 'case "$*" in *version_info*) exit 1;; --version) echo "Python 3.9.2";; esac'
NO_VENV = 'case "$*" in *ensurepip*) echo "No module named ensurepip" >&2; exit 1;; esac'


@pytest.mark.parametrize(
    ("programs", "scripts", "message"),
    [
        ([], {"python3": ""}, "git is missing: apt install git"),
        (["git"], {}, "python3 is missing: apt install python3 python3-venv"),
        (["git"], {"python3": NO_VENV}, "python3-venv is missing: apt install python3-venv"),
        (["git"], {"python3": OLD_PYTHON}, "Python 3.9.2 is too old: Python 3.11 or newer is needed"),
    ],
)
def test_setup_names_the_package_that_is_missing(
    programs: list[str], scripts: dict[str, str], message: str, project: Path, tmp_path: Path
) -> None:
    shutil.rmtree(project / ".venv")
    path = path_with(tmp_path / "bin", *BASICS, *programs, **scripts)
    failed = make(project, "elt", PATH=path, PYTHON="python3")
    assert failed.returncode != 0
    assert f"make setup: {message}" in failed.stderr
    assert "WARNING" not in failed.stderr
    assert not (project / ".venv").exists()


INSTALLER = """\
#!/bin/sh
case "$*" in
    *"-m venv .venv")
        mkdir -p .venv/bin
        cp "$0" .venv/bin/python
        echo "#!$PWD/.venv/bin/python" >.venv/bin/pip;;
    *"pip install"*) echo "$@" >>asked;;
    *hashlib*) cksum requirements/dev.lock;;
esac
"""


def test_setup_installs_once_and_again_when_the_lock_changes_or_the_project_moves(
    project: Path, tmp_path: Path
) -> None:
    shutil.rmtree(project / ".venv")
    python = tmp_path / "python3"
    python.write_text(INSTALLER)
    python.chmod(0o755)

    def installs(folder: Path) -> int:
        done = make(folder, "setup", PYTHON=str(python))
        assert done.returncode == 0, done.stderr
        assert "--no-deps --require-hashes --requirement requirements/dev.lock" in asked(folder)[-1]
        return len(asked(folder))

    assert installs(project) == 1
    assert installs(project) == 1
    lock = project / "requirements" / "dev.lock"
    os.utime(lock)  # its date alone, as after `git checkout`
    assert installs(project) == 1
    lock.write_text(lock.read_text() + "# changed\n")
    assert installs(project) == 2
    link = project.with_name("a link")
    link.symlink_to(project)
    assert installs(link) == 2
    moved = project.rename(project.with_name("moved project"))
    assert installs(moved) == 3
    assert installs(moved) == 3


def serve(project_root: Path, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, str(project_root / "tools" / "serve.py"), *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )


def test_docs_are_served_on_this_machine_only(project_root: Path, tmp_path: Path) -> None:
    (tmp_path / "index.html").write_text("<h1>films</h1>")
    with serve(project_root, str(tmp_path), "--port", "0") as server:
        timer = threading.Timer(30, server.kill)
        timer.start()
        assert server.stdout is not None
        url = server.stdout.readline().split()[0]
        assert re.fullmatch(r"http://127\.0\.0\.1:\d+/", url)
        with urllib.request.urlopen(url, timeout=10) as page:
            assert page.read() == b"<h1>films</h1>"
        server.terminate()
        timer.cancel()


def test_a_taken_port_is_named(project_root: Path, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with serve(project_root, str(tmp_path), "--port", str(port)) as server:
            _, message = server.communicate(timeout=60)
        assert server.returncode == 1
        assert f"port {port} is taken: choose another with PORT=" in message
