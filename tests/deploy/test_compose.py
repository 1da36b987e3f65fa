"""docker-compose.yml, checked without Docker: its schema, its variables, its names, and what it exposes."""

import importlib.util
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.deploy.compose import MissingVariable, load, variables_of

SECRETS = (
    "POSTGRES_PASSWORD",
    "WAREHOUSE_PASSWORD",
    "METABASE_READER_PASSWORD",
    "METABASE_DB_PASSWORD",
    "METABASE_ENCRYPTION_KEY",
    "METABASE_SETUP_TOKEN",
    "METABASE_ADMIN_PASSWORD",
    "PGADMIN_PASSWORD",
)
FILLED = {name: f"the {name}" for name in SECRETS}


@pytest.fixture(scope="module")
def files(project_root: Path) -> list[Path]:
    return [
        project_root / name
        for name in ("docker-compose.yml", "deploy/compose/demo.yml", "deploy/compose/citus.yml")
    ]


@pytest.fixture(scope="module")
def stack(files: list[Path]) -> dict[str, Any]:
    """`make up`."""
    return load(files[:1], FILLED)


@pytest.fixture(scope="module")
def demo(files: list[Path]) -> dict[str, Any]:
    """`make up-demo`."""
    return load(files[:2], FILLED)


@pytest.fixture(scope="module")
def citus(files: list[Path]) -> dict[str, Any]:
    """`make up` on Citus."""
    return load([files[0], files[2]], FILLED)


def test_the_files_fit_the_compose_specification(files: list[Path]) -> None:
    program = Path(sys.executable).with_name("check-jsonschema")
    checked = subprocess.run(
        [program, "--builtin-schema", "vendor.compose-spec", *files],
        capture_output=True,
        text=True,
        check=False,
    )
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_nothing_starts_with_a_default_password(files: list[Path]) -> None:
    used: dict[str, list[tuple[str, str]]] = {}
    for path in files:
        for name, uses in variables_of(path).items():
            used.setdefault(name, []).extend(uses)
    wanted = {name for name in used if re.search("PASSWORD|KEY|SECRET|TOKEN", name)} - {"TMDB_TOKEN"}
    assert wanted == set(SECRETS)
    for name in SECRETS:
        assert {how for how, _ in used[name]} == {":?"}, name
        without = {other: value for other, value in FILLED.items() if other != name}
        with pytest.raises(MissingVariable, match=f"{name}: run make env"):
            load(files, without)
        with pytest.raises(MissingVariable):
            load(files, {**without, name: ""})
    # no password is written down either
    for path in files:
        for line in path.read_text().splitlines():
            if re.search(r"(PASSWORD|_PASS|SECRET_KEY|_TOKEN):", line):
                assert re.search(r": (\$\{|\"\"$)", line), line


def test_a_token_is_needed_only_for_the_real_films(stack: dict[str, Any], demo: dict[str, Any]) -> None:
    assert stack["services"]["elt"]["environment"]["TMDB_TOKEN"] == ""
    assert demo["services"]["elt"]["command"] == ["python", "-m", "demo", "run", "--no-preview"]


def test_each_variable_reaches_a_container_or_is_told_to_be_the_hosts(
    files: list[Path], stack: dict[str, Any], project_root: Path
) -> None:
    """What .env sets and compose does not pass on would be ignored without a word."""
    example = (project_root / ".env.example").read_text()
    known = set(re.findall(r"^#?([A-Z][A-Z0-9_]+)=", example, re.MULTILINE))
    services = stack["services"].values()
    passed_as_it_is = {
        name
        for service in services
        for name, value in service.get("environment", {}).items()
        if value is None
    }
    interpolated = {name for path in files for name in variables_of(path)}
    readme = (project_root / "deploy" / "README.md").read_text()
    told = re.search(r"^Not for containers: (.*)\.$", readme, re.MULTILINE)
    assert told
    hosts = set(re.findall(r"`([A-Z_]+)`", told[1]))
    assert known - passed_as_it_is - interpolated == hosts
    assert (passed_as_it_is | interpolated) <= known
    # the scheduler's day is the same as the one by hand
    by_hand, by_clock = (stack["services"][name]["environment"] for name in ("elt", "scheduler"))
    assert by_clock == {**by_hand, "ELT_SCHEDULE": None}


def test_what_services_say_is_limited(stack: dict[str, Any]) -> None:
    for name, service in stack["services"].items():
        assert service["logging"] == {
            "driver": "local",
            "options": {"max-size": "10m", "max-file": "3"},
        }, name


def test_everything_is_bound_to_this_machine(stack: dict[str, Any], demo: dict[str, Any]) -> None:
    published = {
        name: [re.match(r"127\.0\.0\.1:(\d+):(\d+)$", port) for port in service.get("ports", [])]
        for name, service in stack["services"].items()
    }
    assert {name for name, ports in published.items() if ports} == {"postgres", "metabase", "pgadmin"}
    assert all(port for ports in published.values() for port in ports)
    for project in (stack, demo):
        for service in project["services"].values():
            assert "network_mode" not in service and "privileged" not in service
            assert not any("docker.sock" in str(volume) for volume in service.get("volumes", []))


def test_services_wait_for_what_they_need(stack: dict[str, Any]) -> None:
    services = stack["services"]
    conditions = {
        (name, other): wanted["condition"]
        for name, service in services.items()
        for other, wanted in service.get("depends_on", {}).items()
    }
    for (name, other), condition in conditions.items():
        assert other in services, f"{name} waits for {other}, which is no service"
        assert services[other].get("profiles") in (None, services[name].get("profiles"))
        if condition == "service_healthy":
            assert "healthcheck" in services[other]
        else:
            # a container that is started again never completes
            assert condition == "service_completed_successfully"
            assert services[other].get("restart", "no") == "no"
    assert conditions == {
        ("roles", "postgres"): "service_healthy",
        ("elt", "roles"): "service_completed_successfully",
        ("metabase", "roles"): "service_completed_successfully",
        ("metabase-setup", "metabase"): "service_healthy",
        ("metabase-setup", "elt"): "service_completed_successfully",
        ("scheduler", "roles"): "service_completed_successfully",
        ("scheduler", "schedule-check"): "service_completed_successfully",
        ("pgadmin", "postgres"): "service_healthy",
    }
    optional = {name: service["profiles"] for name, service in services.items() if "profiles" in service}
    assert optional == {"scheduler": ["schedule"], "schedule-check": ["schedule"], "pgadmin": ["tools"]}


def test_what_is_named_exists(stack: dict[str, Any], demo: dict[str, Any], project_root: Path) -> None:
    ports = {"postgres": "5432", "metabase": "3000"}
    for project in (stack, demo):
        services = project["services"]
        for name, service in services.items():
            environment = service.get("environment", {})
            for host, port in (("PGHOST", "PGPORT"), ("MB_DB_HOST", "MB_DB_PORT")):
                if host in environment:
                    assert environment[host] in services
                    assert environment.get(port, "5432") == ports[environment[host]]
            if url := environment.get("METABASE_URL"):
                host, _, port = url.removeprefix("http://").partition(":")
                assert (host in services, ports[host]) == (True, port)
            for port in service.get("ports", []):
                if name in ports:
                    assert port.endswith(f":{ports[name]}")
            for volume in service.get("volumes", []):
                assert volume.split(":")[0] in project["volumes"]
            for config in service.get("configs", []):
                assert (project_root / project["configs"][config["source"]]["file"]).exists()
            assert set(service["networks"]) <= set(project["networks"])
            command = service.get("command", [])
            if command[:2] == ["python", "-m"]:
                assert importlib.util.find_spec(command[2]), command
            if command and command[0].startswith("deploy/"):
                assert os.access(project_root / command[0], os.X_OK), command
    servers = json.loads((project_root / "deploy" / "compose" / "pgadmin-servers.json").read_text())
    assert servers["Servers"]["1"]["Host"] in stack["services"]
    assert str(servers["Servers"]["1"]["Port"]) == ports["postgres"]


def test_every_container_has_the_least_rights(stack: dict[str, Any]) -> None:
    for name in ("roles", "elt", "metabase-setup", "scheduler", "schedule-check"):
        service = stack["services"][name]
        assert service["read_only"] is True, name
        assert service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
    # the superuser's password goes where roles are made, and nowhere else
    knowing = {
        name
        for name, service in stack["services"].items()
        if "the POSTGRES_PASSWORD" in service.get("environment", {}).values()
    }
    assert knowing == {"postgres", "roles"}
    assert stack["services"]["elt"]["environment"]["PGUSER"] == "tmdb"


def test_images_are_pinned_to_a_line(stack: dict[str, Any]) -> None:
    for name, service in stack["services"].items():
        image, _, tag = service["image"].partition(":")
        if not image.startswith("tmdb-elt"):
            assert re.search(r"\d", tag) and tag != "latest", (name, service["image"])
    assert stack["services"]["postgres"]["image"].startswith("postgres:16")


def test_metabase_has_a_memory_of_its_own_and_java_keeps_to_it(
    stack: dict[str, Any], files: list[Path]
) -> None:
    metabase = stack["services"]["metabase"]
    assert metabase["mem_limit"] == "2g"
    assert "-XX:MaxRAMPercentage=" in metabase["environment"]["JAVA_TOOL_OPTIONS"]
    changed = load(files[:1], {**FILLED, "METABASE_MEMORY": "4g"})
    assert changed["services"]["metabase"]["mem_limit"] == "4g"
    # Metabase's own things are in a database and a role that the warehouse's are not
    assert metabase["environment"]["MB_DB_DBNAME"] == metabase["environment"]["MB_DB_USER"] == "metabase"
    assert stack["services"]["elt"]["environment"]["PGDATABASE"] == "tmdb"


def test_the_demo_is_a_project_and_a_database_of_its_own(stack: dict[str, Any], demo: dict[str, Any]) -> None:
    assert (stack["name"], demo["name"]) == ("tmdb-elt", "tmdb-elt-demo")
    databases = {
        name: {
            project["services"][name]["environment"].get(variable)
            for variable in ("PGDATABASE", "WAREHOUSE_DATABASE")
        }
        - {None}
        for project in (demo,)
        for name in ("roles", "elt", "metabase-setup")
    }
    assert set().union(*databases.values()) == {"tmdb_demo"}


def test_the_services_that_people_are_told_to_type_exist(stack: dict[str, Any], project_root: Path) -> None:
    texts = [
        project_root / name for name in ("README.md", "Makefile", "docker-compose.yml", "CONTRIBUTING.md")
    ]
    texts += [
        path
        for folder in ("deploy", "docs")
        for path in (project_root / folder).rglob("*")
        if path.suffix in {"", ".md", ".yml", ".yaml"}
    ]
    typed = re.compile(
        r"docker compose(?: --profile \S+)? (?:up|logs|run|restart|stop|exec|ps)(?: --\S+)*"
        r" ([a-z][a-z-]*)(?=[\s`;])"
    )
    names = {name for path in texts if path.is_file() for name in typed.findall(path.read_text())}
    assert {"pgadmin", "postgres", "elt"} <= names <= set(stack["services"])
    addresses = {
        port
        for path in texts
        if path.is_file()
        for port in re.findall(r"127\.0\.0\.1:(\d+)", path.read_text())
    }
    published = {
        port.split(":")[1] for service in stack["services"].values() for port in service.get("ports", [])
    }
    # 8080 is `make docs-serve`
    assert addresses <= published | {"8080"}


def test_citus_is_a_coordinator_and_workers_alike(
    stack: dict[str, Any], citus: dict[str, Any], project_root: Path
) -> None:
    services = citus["services"]
    new = services.keys() - stack["services"].keys()
    assert new == {
        "citus",
        *(f"citus-worker-{n}{what}" for n in (1, 2) for what in ("", "-roles")),
    }
    ours = services["citus"]["command"], services["citus"]["configs"][0]["target"]
    assert ours == (["sh", "/citus"], "/citus")
    script = (project_root / citus["configs"]["citus"]["file"]).read_text()
    for name in ("postgres", "citus-worker-1", "citus-worker-2"):
        assert name in script
        assert services[name]["image"] == services["citus"]["image"]
        # what PostgreSQL is set to, and Citus
        assert set(services[name]["command"]) == {
            *stack["services"]["postgres"]["command"],
            "shared_preload_libraries=citus",
        }
    for number in (1, 2):
        worker = services[f"citus-worker-{number}"]
        assert "ports" not in worker
        for key in ("environment", "healthcheck", "shm_size", "security_opt", "logging"):
            assert worker[key] == stack["services"]["postgres"][key], key
        roles = services[f"citus-worker-{number}-roles"]
        for key in ("command", "image", "read_only", "cap_drop", "security_opt", "logging"):
            assert roles[key] == stack["services"]["roles"][key], key
        assert roles["environment"] == {
            **stack["services"]["roles"]["environment"],
            "PGHOST": f"citus-worker-{number}",
        }
        assert services["roles"]["depends_on"][f"citus-worker-{number}"]["condition"] == "service_healthy"
    for name in ("elt", "scheduler"):
        assert services[name]["depends_on"]["citus"]["condition"] == "service_completed_successfully"
