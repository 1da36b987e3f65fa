"""`make up`, `up-demo`, `down`, `logs`: what they ask of Docker, told by one that only writes it down."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

FAKE = """#!/bin/sh
[ "$1 $2" != "compose version" ] || exit "${NO_COMPOSE:-0}"
case "$1" in
    info) [ -z "${NO_ENGINE:-}" ] || { echo "permission denied" >&2; exit 1; } ;;
    ps)
        case "$*" in
            *publish=${HELD:-none}*) echo "tmdb-elt-demo tmdb-elt-demo-postgres-1" ;;
            *--all*) echo ${THERE:-} ;;
        esac
        ;;
    inspect) echo "${STATE:-}" ;;
    wait) echo "${CODE:-0}" ;;
    rm) ;;
    logs) echo "${SAID:-}" ;;
    *) echo "$@" >>asked ;;
esac
case "$*" in *"${FAIL:-nothing fails}"*) exit 7;; esac
"""
REAL = "compose --project-name tmdb-elt"
DEMO = "compose --project-name tmdb-elt-demo --file docker-compose.yml --file deploy/compose/demo.yml"


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
        f"{REAL} up --detach --build postgres metabase",
        f"{REAL} run --detach elt",
        f"{REAL} run --detach --no-deps metabase-setup",
    ]
    assert "http://127.0.0.1:3100  admin@example.com" in done.stdout
    assert "127.0.0.1:5432, database tmdb," in done.stdout
    assert "hidden" not in done.stdout


def test_up_demo_needs_no_token_and_takes_the_demos_options(project: Path) -> None:
    (project / ".env").write_text("TMDB_TOKEN=\n")
    done = make(project, "up-demo")
    assert done.returncode == 0, done.stderr
    assert asked(project) == [
        f"{DEMO} up --detach --build postgres metabase",
        f"{DEMO} run --detach elt",
        f"{DEMO} run --detach --no-deps metabase-setup",
    ]
    assert "database tmdb_demo," in done.stdout
    make(project, "up-demo", "ARGS=--days 2")
    assert f"{DEMO} run --detach elt python -m demo run --no-preview --days 2" in asked(project)


@pytest.mark.parametrize(
    ("failing", "steps", "message"),
    [
        ("up --detach", 2, "make up: a service did not start"),
        ("run --detach elt", 2, "make up: the films were not loaded or the tables not built"),
        ("metabase-setup", 3, "make up: the dashboards were not applied"),
    ],
)
def test_up_stops_at_the_step_that_failed(failing: str, steps: int, message: str, project: Path) -> None:
    done = make(project, "up", FAIL=failing)
    assert done.returncode != 0
    assert message in done.stderr
    assert len(asked(project)) == steps
    assert "http://" not in done.stdout


def test_the_exit_code_is_that_of_the_service_that_failed(project: Path) -> None:
    done = make(project, "up", CODE="3")
    assert "make up: the films were not loaded" in done.stderr
    assert "Error 3" in done.stderr


@pytest.mark.parametrize(
    ("state", "said", "told"),
    [
        (
            "roles|exited|1||",
            'FATAL:  password authentication failed for user "postgres"',
            "another POSTGRES_PASSWORD",
        ),
        ("metabase|running|0|unhealthy|", "java.lang.OutOfMemoryError", "  java.lang.OutOfMemoryError"),
        (
            "postgres|created|128||Bind for 127.0.0.1:5432 failed: port is already allocated",
            "",
            "POSTGRES_PORT",
        ),
    ],
)
def test_the_reason_of_a_failed_service_is_shown(state: str, said: str, told: str, project: Path) -> None:
    done = make(project, "up", FAIL="up --detach", THERE="abc", STATE=state, SAID=said)
    assert f"{state.split('|')[0]}" in done.stderr and told in done.stderr
    # nothing ran before, so nothing is left half made
    assert asked(project)[-1] == f"{REAL} down --remove-orphans"


def test_up_beside_the_demos_stack_says_who_has_the_port(project: Path) -> None:
    done = make(project, "up", HELD="5432")
    assert (
        "make up: port 5432 is held by the container tmdb-elt-demo-postgres-1. `make down` ends both stacks"
        in done.stderr
    )
    assert "POSTGRES_PORT=5433" in done.stderr
    assert asked(project) == []
    # the demo's own
    assert make(project, "up-demo", HELD="5432").returncode == 0


def test_up_says_what_is_missing(project: Path) -> None:
    assert "docker has no compose plugin" in make(project, "up", NO_COMPOSE="1").stderr
    assert "the Docker engine does not answer: permission denied" in make(project, "up", NO_ENGINE="1").stderr
    (project / ".env").write_text("TMDB_TOKEN=\n")
    assert "TMDB_TOKEN is not set in .env; without one: make up-demo" in make(project, "up").stderr
    assert "TMDB_TOKEN is not set in .env" in make(project, "schedule").stderr
    assert make(project, "up", TMDB_TOKEN="from the environment").returncode == 0
    (project / ".env").unlink()
    for verb in ("up", "up-demo", "schedule"):
        assert f"make {verb}: .env is missing: make env" in make(project, verb).stderr
    (project / "bin" / "docker").unlink()
    for program in ("make", "sh"):
        (project / "bin" / program).symlink_to(shutil.which(program) or "")
    assert "docker is missing" in make(project, "up", PATH=str(project / "bin")).stderr


def test_down_ends_both_projects_and_keeps_their_data_also_without_env(project: Path) -> None:
    (project / ".env").unlink()
    assert make(project, "down").returncode == 0
    assert asked(project) == [
        f"{REAL} down --remove-orphans",
        "compose --project-name tmdb-elt-demo down --remove-orphans",
    ]


def test_logs_are_those_of_the_stack_that_is_there(project: Path) -> None:
    assert "make logs: nothing is up: make up, or make up-demo" in make(project, "logs").stderr
    done = make(project, "logs", "ARGS=metabase", THERE="abc")
    assert asked(project) == [f"{REAL} logs --follow --tail 100 metabase"]
    assert "of the other stack: docker compose --project-name tmdb-elt-demo logs" in done.stderr


def test_the_scheduler_is_started_and_says_when(project: Path) -> None:
    assert make(project, "schedule").returncode == 0
    assert asked(project)[0] == f"{REAL} --profile schedule up --detach --build scheduler"
    wrong = make(
        project,
        "schedule",
        FAIL="up --detach",
        THERE="abc",
        STATE="schedule-check|exited|2||",
        SAID="ERROR ELT_SCHEDULE=daily names no time",
    )
    assert "ELT_SCHEDULE=daily names no time" in wrong.stderr
    assert "make schedule: the scheduler did not start" in wrong.stderr
