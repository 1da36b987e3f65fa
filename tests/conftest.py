"""What every test may ask for: a PostgreSQL of the tests' own, a fresh database in it, the shared films.

No test reads the developer's ``.env``, his token, or touches the project's own ``.warehouse``.
"""

import os
import uuid
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import psycopg
import pytest
from psycopg import sql

import warehouse
from warehouse.server import Server

PROJECT = Path(__file__).resolve().parent.parent

# What `make test ARGS=…` would hand on to a make that a test runs.
MAKES_OWN = ("MAKEFLAGS", "MFLAGS", "MAKEOVERRIDES", "MAKELEVEL", "ARGS")

# How much the property tests draw. An expensive one takes its share of the profile's examples, as in
# `@hypothesis.settings(max_examples=hypothesis.settings().max_examples // 10)`.
_SLOW_MACHINE = [hypothesis.HealthCheck.too_slow]
hypothesis.settings.register_profile("default", deadline=None, suppress_health_check=_SLOW_MACHINE)
hypothesis.settings.register_profile(
    # a build that fails by chance accuses the wrong change: CI draws the same examples every time
    "ci",
    hypothesis.settings.get_profile("default"),
    derandomize=True,
    database=None,
    print_blob=True,
)
hypothesis.settings.register_profile(
    "fuzz", hypothesis.settings.get_profile("default"), max_examples=5000, print_blob=True
)
hypothesis.settings.load_profile(
    os.environ.get("HYPOTHESIS_PROFILE") or ("ci" if os.environ.get("CI") else "default")
)


@pytest.fixture(scope="session", autouse=True)
def _apart_from_the_developer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        for name in list(os.environ):
            if (
                name in MAKES_OWN
                or name.startswith("TMDB_")
                or (name.startswith("PG") and not os.environ.get("PGHOST"))
            ):
                patch.delenv(name)
        patch.setenv("TMDB_ENV_FILE", "")
        base = tmp_path_factory.getbasetemp()
        patch.setenv("WAREHOUSE_HOME", str(base / "warehouse"))
        # one folder of all processes of a run in parallel
        patch.setenv("TESTS_SHARED", str(base.parent if "PYTEST_XDIST_WORKER" in os.environ else base))
        patch.setenv("DBT_SEND_ANONYMOUS_USAGE_STATS", "false")
        yield


@pytest.fixture(scope="session")
def project_root() -> Path:
    """The folder of the Makefile."""
    return PROJECT


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder beside the project with the real films."""
    path = PROJECT.parent / "shared"
    if not path.is_dir():
        pytest.skip(f"the real films are not here: {path} is missing")
    return path


@pytest.fixture(scope="session")
def postgres(_apart_from_the_developer: None) -> Iterator[dict[str, str]]:
    """The PG* variables of the tests' server, for its maintenance database.

    It is the server that PGHOST names (where CI brings one), else an embedded one in a temporary folder,
    started once a session.
    """
    if os.environ.get("PGHOST"):
        yield {"PGDATABASE": "postgres", **warehouse.ensure()}
        return
    home = Path(os.environ["WAREHOUSE_HOME"])
    try:
        yield {**warehouse.ensure(home, durable=False), "PGDATABASE": "postgres"}
    finally:
        Server(home).stop()


@pytest.fixture
def database(postgres: dict[str, str]) -> Iterator[dict[str, str]]:
    """The PG* variables of an empty database that lives as long as the test."""
    name = f"test_{uuid.uuid4().hex[:16]}"
    with _maintenance(postgres) as connection:
        connection.execute(sql.SQL("create database {}").format(sql.Identifier(name)))
    try:
        yield {**postgres, "PGDATABASE": name}
    finally:
        with _maintenance(postgres) as connection:
            connection.execute(sql.SQL("drop database {} with (force)").format(sql.Identifier(name)))


def _maintenance(postgres: dict[str, str]) -> psycopg.Connection:
    names = {
        "PGHOST": "host",
        "PGPORT": "port",
        "PGUSER": "user",
        "PGPASSWORD": "password",
        "PGDATABASE": "dbname",
    }
    return psycopg.connect(
        autocommit=True, **{key: postgres[name] for name, key in names.items() if name in postgres}
    )
