"""What every test may ask for: a PostgreSQL of the tests' own, a fresh database in it, the shared films.

No test reads the developer's ``.env``, his token, or touches the project's own ``.warehouse``.
"""

import os
import shutil
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest

from tests.databases import RUN_FOLDER, Databases, clean_up, run_folder, server
from tests.left_out import LeftOut
from warehouse.server import Server

PROJECT = Path(__file__).resolve().parent.parent

# What `make test ARGS=…` would hand on to a make that a test runs.
MAKES_OWN = ("MAKEFLAGS", "MFLAGS", "MAKEOVERRIDES", "MAKELEVEL", "ARGS", "SLOW")

# How much the property tests draw. An expensive one takes its share of the profile's examples, as in
# `@hypothesis.settings(max_examples=hypothesis.settings().max_examples // 10)`.
_SLOW_MACHINE = [hypothesis.HealthCheck.too_slow]
hypothesis.settings.register_profile("default", deadline=None, suppress_health_check=_SLOW_MACHINE)
hypothesis.settings.register_profile(
    # who need not wait for the slow tests need not for all examples either: each run draws others
    "quick",
    hypothesis.settings.get_profile("default"),
    max_examples=40,
)
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


#: The files that take longest, which therefore begin first: one that came last would leave a process idle.
#: `test_histories` compiles the dbt project; what needs that, too, comes later, as it would wait beside it.
LONG = (
    "bare_machine/test_bare_machine.py",
    "dbt_project/test_histories.py",
    "end_to_end/test_day_in_the_life.py",
    "extractor/test_faults.py",
    "end_to_end/test_real_films.py",
    "extractor/test_operating.py",
    "extractor/test_kills.py",
    "metabase/test_apply.py",
    "metabase/test_export.py",
    "preview/test_gallery.py",
    "dbt_project/test_project.py",
    "dbt_project/test_beside_others.py",
    "preview/test_page.py",
    "dbt_project/test_increment.py",
)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--slow", action="store_true", help="also the tests marked slow")


def pytest_configure(config: pytest.Config) -> None:
    # started with nohup or in a script's background, this process ignores them, and so would what it starts
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    config.pluginmanager.register(LeftOut())
    profile = "ci" if os.environ.get("CI") else "default" if config.option.slow else "quick"
    hypothesis.settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE") or profile)
    if not hasattr(config, "workerinput"):  # else the process that started this one has done it
        os.environ[RUN_FOLDER] = tempfile.mkdtemp(prefix="tmdb-elt-tests-")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    places = {PROJECT / "tests" / name: place for place, name in enumerate(LONG)}
    items.sort(key=lambda item: places.get(item.path, len(LONG)))


def pytest_unconfigure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput"):
        clean_up()
        shutil.rmtree(run_folder())


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
        home = tmp_path_factory.getbasetemp() / "warehouse"
        patch.setenv("WAREHOUSE_HOME", str(home))
        patch.setenv("DBT_SEND_ANONYMOUS_USAGE_STATS", "false")
        yield
        Server(home).stop()  # where a test started it


@pytest.fixture(scope="session")
def project_root() -> Path:
    """The folder of the Makefile."""
    return PROJECT


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder beside the project with the real films and TMDB's OpenAPI document."""
    path = PROJECT.parent / "shared"
    if not path.is_dir():
        pytest.skip(f"the real films and TMDB's OpenAPI document are not here: {path} is missing")
    return path


@pytest.fixture(scope="session")
def postgres(_apart_from_the_developer: None) -> dict[str, str]:
    """The PG* variables of the tests' server, for its maintenance database.

    All processes of a run share it: what a test does to the server itself, such as to a role, it does
    `tests.databases.exclusively`, or on a server of its own.
    """
    return server()


@pytest.fixture(scope="session")
def databases(postgres: dict[str, str]) -> Databases:
    """Makes databases, and templates of databases: what is expensive to build is built once a run."""
    return Databases(postgres)


@pytest.fixture
def database(databases: Databases) -> Iterator[dict[str, str]]:
    """The PG* variables of an empty database that lives as long as the test."""
    with databases.new() as pg:
        yield pg
