"""`make up`, `up-demo`, `down`, `logs`: what they ask of Docker, told by one that only writes it down."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

FAKE = """#!/bin/sh
[ "$1 $2" != "compose version" ] || exit "${NO_COMPOSE:-0}"
echo "$@" >>asked
case "$*" in *"${FAIL:-nothing fails}"*) exit 7;; esac
"""
DEMO = "compose --file docker-compose.yml --file deploy/compose/demo.yml"


@pytest.fixture
def project(project_root: Path, tmp_path: Path) -> Path:
    for name in ("Makefile", "docker-compose.yml"):
        shutil.copy(project_root / name, tmp_path)
    shutil.copytree(project_root / "deploy", tmp_path / "deploy")
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "docker").write_text(FAKE)
    (tmp_path / "bin" / "docker").chmod(0o755)
    (tmp_path / ".env").write_text("TMDB_TOKEN=mine\nMETABASE_PORT=3100\nPOSTGRES_PASSWORD=hidden\n")
    return tmp_path


def make(project: Path, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    plain = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("MAKE", "MFLAGS", "TMDB_", "METABASE_", "POSTGRES_", "WAREHOUSE_"))
    }
    return subprocess.run(
        ["make", *arguments],
        cwd=project,
        env={**plain, "PATH": f"{project / 'bin'}:/usr/bin:/bin", **variables},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


def asked(project: Path) -> list[str]:
    return (project / "asked").read_text().splitlines() if (project / "asked").exists() else []


def test_up_starts_loads_applies_and_prints_the_addresses(project: Path) -> None:
    done = make(project, "up")
    assert done.returncode == 0, done.stderr
    assert asked(project) == [
        "compose up --detach --build postgres metabase",
        "compose run --rm elt",
        "compose run --rm --no-deps metabase-setup",
    ]
    assert "http://127.0.0.1:3100  admin@example.com" in done.stdout
    assert "127.0.0.1:5432, database tmdb," in done.stdout
    assert "hidden" not in done.stdout


def test_up_demo_needs_no_token(project: Path) -> None:
    (project / ".env").write_text("TMDB_TOKEN=\n")
    done = make(project, "up-demo")
    assert done.returncode == 0, done.stderr
    assert asked(project) == [
        f"{DEMO} up --detach --build postgres metabase",
        f"{DEMO} run --rm elt",
        f"{DEMO} run --rm --no-deps metabase-setup",
    ]
    assert "database tmdb_demo," in done.stdout


@pytest.mark.parametrize(
    ("failing", "steps", "message"),
    [
        ("up --detach", 1, "make up: a service did not start"),
        ("run --rm elt", 2, "make up: the films were not loaded"),
        ("metabase-setup", 3, "make up: the dashboards were not applied"),
    ],
)
def test_up_stops_at_the_step_that_failed(failing: str, steps: int, message: str, project: Path) -> None:
    done = make(project, "up", FAIL=failing)
    assert done.returncode != 0
    assert message in done.stderr
    assert len(asked(project)) == steps
    assert "http://" not in done.stdout


def test_up_says_what_is_missing(project: Path) -> None:
    assert "docker has no compose plugin" in make(project, "up", NO_COMPOSE="1").stderr
    (project / ".env").write_text("TMDB_TOKEN=\n")
    assert "TMDB_TOKEN is not set in .env; without one: make up-demo" in make(project, "up").stderr
    assert make(project, "up", TMDB_TOKEN="from the environment").returncode == 0
    (project / ".env").unlink()
    assert ".env is missing: make env" in make(project, "up").stderr
    (project / "bin" / "docker").unlink()
    for program in ("make", "sh"):
        (project / "bin" / program).symlink_to(shutil.which(program) or "")
    assert "docker is missing" in make(project, "up", PATH=str(project / "bin")).stderr


def test_down_ends_both_projects_and_keeps_their_data(project: Path) -> None:
    assert make(project, "down").returncode == 0
    assert asked(project) == [
        "compose --profile * down --remove-orphans",
        f"{DEMO} --profile * down --remove-orphans",
    ]
    assert make(project, "logs", "ARGS=metabase").returncode == 0
    assert asked(project)[-1] == "compose --profile * logs --follow --tail 100 metabase"
