"""A small warehouse, the page that is written from it, and Debian's Chromium to look at it with."""

import os
import shutil
import subprocess
import sys
import uuid
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest

from tests.dbt_project.conftest import PROJECT, LandingZone, connection_parameters
from tests.dbt_project.runner import Dbt
from tests.preview.browser import Browser
from tests.preview.films import DAYS, LISTS, films


@dataclass(frozen=True)
class Written:
    """A page, and how the program that wrote it ended."""

    path: Path
    exit_code: int
    stderr: str


@dataclass(frozen=True)
class Site:
    """A database that dbt built, and the manifest of what it built."""

    pg: Mapping[str, str]
    manifest: Path
    scratch: Path

    def write(self, name: str, *options: str, **changed: str) -> Written:
        """Write a page as a user does."""
        output = self.scratch / name
        command = ["-m", "metabase.preview", "--output", str(output), "--manifest", str(self.manifest)]
        environment = {key: value for key, value in os.environ.items() if not key.startswith("PG")}
        done = subprocess.run(
            [sys.executable, *command, *options],
            cwd=PROJECT,
            env=environment | dict(self.pg) | changed,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        return Written(output, done.returncode, done.stderr)


@dataclass(frozen=True)
class Pages:
    """The page of empty tables, that of three days of films, and where they came from."""

    empty: Path
    full: Path
    site: Site


@pytest.fixture(scope="session")
def pages(postgres: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pages]:
    """Both pages; the warehouse lives as long."""
    scratch = tmp_path_factory.mktemp("preview")
    name = f"test_preview_{uuid.uuid4().hex[:12]}"
    with ExitStack() as stack:
        admin = stack.enter_context(psycopg.connect(autocommit=True, **connection_parameters(postgres)))
        site = stack.enter_context(_database(admin, name, {**postgres, "PGDATABASE": name}, scratch))
        zone = LandingZone(site.pg)
        for day in DAYS:
            zone.land(day, films(day), LISTS)
        with Dbt(PROJECT / "dbt_project", site.pg, scratch) as dbt:
            dbt("build", "--resource-type", "seed", "--resource-type", "model")
            dbt.manifest.write(str(site.manifest))
        zone.connection.close()

        # the same tables and views, and no row in them
        void = {**postgres, "PGDATABASE": f"{name}_void"}
        empty = stack.enter_context(_database(admin, f"{name}_void", void, scratch, template=name))
        with psycopg.connect(autocommit=True, **connection_parameters(void)) as connection:
            names = connection.execute(
                "select tablename from pg_tables where schemaname = 'marts'"
            ).fetchall()
            connection.execute(f"truncate {', '.join(f'marts.{table}' for (table,) in names)}".encode())

        written = [site.write("full.html"), empty.write("empty.html")]
        assert [page.exit_code for page in written] == [0, 0], [page.stderr for page in written]
        yield Pages(written[1].path, written[0].path, site)


@contextmanager
def _database(
    admin: psycopg.Connection, name: str, pg: Mapping[str, str], scratch: Path, template: str = "template1"
) -> Iterator[Site]:
    admin.execute(f"create database {name} template {template}".encode())
    try:
        yield Site(pg, scratch / "manifest.json", scratch)
    finally:
        admin.execute(f"drop database {name} with (force)".encode())


@pytest.fixture(scope="session")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """Debian's Chromium without a window. Where it is missing the tests are skipped; in CI they fail."""
    binary, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if not binary or not driver:
        missing = "chromium and chromedriver are missing: apt install chromium chromium-driver"
        if os.environ.get("CI") == "true":
            pytest.fail(missing)
        pytest.skip(missing)
    with Browser(binary, driver, tmp_path_factory.mktemp("chromium")) as browser:
        yield browser


@pytest.fixture
def browser(chromium: Browser) -> Iterator[Browser]:
    """The browser as wide as a desk's, in light colours; a page that complains fails the test."""
    chromium.look()
    yield chromium
    assert chromium.complaints() == []
