"""The Dockerfile's rules, and that what .dockerignore lets through is what the containers' commands need."""

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from demo.server import StandInProcess
from warehouse.configuration import PORT, SUPERUSER
from warehouse.server import Server


def instructions(dockerfile: str) -> list[tuple[str, str]]:
    """Instruction and argument, line continuations joined, comments left out."""
    joined = re.sub(r"\\\n", " ", re.sub(r"^\s*#.*\n", "", dockerfile, flags=re.MULTILINE))
    return [
        (word.upper(), rest.strip())
        for word, _, rest in (line.strip().partition(" ") for line in joined.splitlines() if line.strip())
    ]


def goes_into_the_image(path: str, rules: list[str]) -> bool:
    """Docker's rule: the last line that matches the file decides; none lets it in."""
    inside = False
    for rule in rules:
        if re.fullmatch(_expression(rule.lstrip("!")), path):
            inside = rule.startswith("!")
    return inside


def _expression(pattern: str) -> str:
    """`**` is any number of folders, `*` what is within one."""
    words = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*"}
    return "".join(words.get(word) or re.escape(word) for word in re.split(r"(\*\*/|\*\*|\*)", pattern))


@pytest.fixture(scope="module")
def rules(project_root: Path) -> list[str]:
    lines = (project_root / ".dockerignore").read_text().splitlines()
    return [line for line in lines if line and not line.startswith("#")]


@pytest.fixture(scope="module")
def app(rules: list[str], project_root: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The image's /app: the files that git knows and .dockerignore lets through."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=project_root,
        capture_output=True,
        text=True,
        check=True,
    )
    folder = tmp_path_factory.mktemp("image") / "app"
    for name in listed.stdout.splitlines():
        if goes_into_the_image(name, rules) and (project_root / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(project_root / name, folder / name)
    yield folder


def test_the_dockerfile_passes_hadolint(project_root: Path) -> None:
    program = Path(sys.executable).with_name("hadolint")
    checked = subprocess.run(
        [program, str(project_root / "Dockerfile")], capture_output=True, text=True, check=False
    )
    assert checked.returncode == 0, checked.stdout


def test_the_image_runs_as_nobody_in_particular_and_holds_no_secret(project_root: Path) -> None:
    text = (project_root / "Dockerfile").read_text()
    stages = re.split(r"^FROM ", text, flags=re.MULTILINE)[1:]
    users = [argument for word, argument in instructions(text) if word == "USER"]
    assert users == ["10001:10001"]  # a number: Kubernetes checks runAsNonRoot by it
    assert stages[-1].startswith("${PYTHON_IMAGE} AS elt\n")
    for word, argument in instructions(text):
        if word in ("ENV", "ARG"):
            assert not re.search(r"(PASSWORD|TOKEN|SECRET|KEY)\w*=\S", argument), argument
        if word == "RUN" and "pip install" in argument:
            assert "--require-hashes" in argument and "requirements/run.lock" not in argument
        assert word != "ADD" and not re.search(r"\| *(ba)?sh\b", argument)


@pytest.mark.parametrize(
    "name",
    [
        ".env",
        ".env.local",
        ".git/config",
        "dbt_project/.env",
        "metabase/.env.production",
        "requirements/dev.lock",
        ".warehouse/data/PG_VERSION",
        ".venv/bin/python",
        "tests/conftest.py",
        "dbt_project/target/manifest.json",
        "secrets.txt",
        "build/demo.log",
        "extractor/__pycache__/cli.cpython-312.pyc",
        "deploy/helm/values.yaml",
    ],
)
def test_nothing_private_or_needless_goes_into_the_image(name: str, rules: list[str]) -> None:
    assert not goes_into_the_image(name, rules)


def test_every_file_of_the_programs_goes_into_the_image(app: Path, project_root: Path) -> None:
    listed = subprocess.run(
        ["git", "ls-files", "common", "extractor", "warehouse", "demo", "metabase", "dbt_project"],
        cwd=project_root,
        capture_output=True,
        text=True,
        check=True,
    )
    needless = re.compile(r".*/README\.md|metabase/preview/.*|.*/\.sqlfluff|metabase/project\.schema\.json")
    wanted = {name for name in listed.stdout.splitlines() if not needless.fullmatch(name)}
    assert wanted - {str(path.relative_to(app)) for path in app.rglob("*")} == set()


def run(app: Path, *command: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """A command of a container: in /app, on the packages of the lock, without this machine's settings."""
    venv = Path(sys.executable).parent
    return subprocess.run(
        command,
        cwd=app,
        env={
            "PATH": f"{venv}:/usr/bin:/bin",
            "HOME": str(app.parent),
            "TMDB_ENV_FILE": "",
            "TMDB_BUILD_FOLDER": str(app.parent),
            "DBT_PROJECT_DIR": str(app / "dbt_project"),
            "DBT_PROFILES_DIR": str(app / "dbt_project"),
            "DBT_TARGET_PATH": str(app.parent / "target"),
            "DBT_LOG_PATH": str(app.parent / "logs"),
            "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
            "PYTHONDONTWRITEBYTECODE": "1",
            **variables,
        },
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.mark.parametrize("module", ["extractor", "warehouse", "demo", "metabase"])
def test_the_image_has_what_its_programs_need(module: str, app: Path) -> None:
    done = run(app, "python", "-m", module, "--help")
    assert done.returncode == 0, done.stderr
    assert "Usage" in done.stdout


@pytest.fixture
def fresh_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """The PG* variables of a server as a new container has it: a superuser and nothing else."""
    server = Server(tmp_path_factory.mktemp("server") / "w", durable=False)
    server.start()
    yield {"PGHOST": str(server.layout.socket_directory), "PGPORT": PORT, "PGUSER": SUPERUSER}
    server.stop()


@pytest.mark.slow
def test_one_day_from_the_image_lands_and_builds(app: Path, fresh_server: dict[str, str]) -> None:
    """What compose runs, in its order: `roles`, then `elt` as the role tmdb; /app stays as it was.

    Against the stand-in; dbt builds one mart and what it needs, as other tests build them all.
    """
    secrets = dict.fromkeys(("WAREHOUSE_PASSWORD", "METABASE_DB_PASSWORD", "METABASE_READER_PASSWORD"), "x")
    made = run(app, "python", "-m", "warehouse", "roles", **fresh_server, **secrets)
    assert made.returncode == 0, made.stderr
    before = sorted(path.relative_to(app) for path in app.rglob("*"))
    with StandInProcess("--films", "40") as tmdb:
        done = run(
            app,
            "deploy/elt",
            *("--pages", "1", "--", "--select", "+dim_genre", "--exclude-resource-type", "test"),
            TMDB_TOKEN=tmdb.token,
            TMDB_BASE_URL=tmdb.base_url,
            TMDB_EXPORT_URL=tmdb.export_url,
            **{**fresh_server, "PGUSER": "tmdb", "PGPASSWORD": "x", "PGDATABASE": "tmdb"},
        )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    assert re.search(r"INFO done after \S+ s: extract \S+ s, dbt build \S+ s \(models ", done.stderr)
    assert re.search(r"Done\. PASS=\d+ WARN=\d+ ERROR=0 ", done.stdout)
    assert sorted(path.relative_to(app) for path in app.rglob("*")) == before
    with psycopg.connect(
        host=fresh_server["PGHOST"], port=PORT, user="metabase_reader", dbname="tmdb"
    ) as reader:
        # by its bare name: dbt, as the owner, has set the database's search_path
        assert reader.execute("select count(*) > 0 from dim_genre").fetchone() == (True,)


def test_one_day_names_the_step_that_failed(app: Path, database: dict[str, str]) -> None:
    done = run(app, "deploy/elt", TMDB_TOKEN="", **database)
    assert done.returncode == 2
    assert "step 1 of 2 failed: extract. The tables were not built (exit code 2)" in done.stderr
