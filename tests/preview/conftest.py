"""A small warehouse, the page that is written from it, and Debian's Chromium to look at it with."""

import json
import os
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest

from tests import programs
from tests.databases import Databases, connection_parameters, once, run_folder
from tests.dbt_project.compiled import Model
from tests.dbt_project.conftest import PROJECT, LandingZone, compiled
from tests.dbt_project.runner import Dbt
from tests.left_out import missing
from tests.preview.browser import Browser
from tests.preview.films import DAYS, LISTS, films

__all__ = ["compiled"]

GALLERY = Path(__file__).with_name("gallery")


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
        words = ["--output", str(output), "--manifest", str(self.manifest), *options]
        environment = {key: value for key, value in os.environ.items() if not key.startswith("PG")}
        environment = environment | dict(self.pg) | changed
        done = programs.run("metabase.preview", words, cwd=PROJECT, env=environment)
        return Written(output, done.returncode, done.stderr)


@dataclass(frozen=True)
class Pages:
    """The page of empty tables, that of three days of films, and where they came from."""

    empty: Path
    full: Path
    site: Site


@pytest.fixture(scope="session")
def pages(
    databases: Databases, compiled: tuple[str, list[Model]], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Pages]:
    """Both pages; the warehouse lives as long."""
    built, models = compiled
    folder = run_folder() / "preview"
    manifest = folder / "manifest.json"

    def three_days(pg: dict[str, str]) -> None:
        folder.mkdir(exist_ok=True)
        zone = LandingZone(pg, models)
        for day in DAYS:
            zone.land(day, films(day), LISTS)
        zone.build()
        zone.connection.close()
        with Dbt(PROJECT / "dbt_project", pg, tmp_path_factory.mktemp("dbt")) as dbt:
            dbt.write_manifest(manifest)

    template = databases.template("preview", three_days, built)
    with databases.new(template) as pg:
        site = Site(pg, manifest, tmp_path_factory.mktemp("preview"))

        def write() -> str:
            full = Site(pg, manifest, folder).write("full.html")
            # the same tables and views, and no row in them
            with databases.new(template) as void:
                with psycopg.connect(autocommit=True, **connection_parameters(void)) as connection:
                    names = connection.execute(
                        "select tablename from pg_tables where schemaname = 'marts'"
                    ).fetchall()
                    connection.execute(
                        f"truncate {', '.join(f'marts.{table}' for (table,) in names)}".encode()
                    )
                empty = Site(void, manifest, folder).write("empty.html")
            assert [full.exit_code, empty.exit_code] == [0, 0], full.stderr + empty.stderr
            return "written"

        once("preview.pages", write)
        yield Pages(folder / "empty.html", folder / "full.html", site)


@pytest.fixture(scope="session")
def rows(databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A database for the gallery: four films."""
    scratch = tmp_path_factory.mktemp("gallery")
    with databases.new() as pg:
        with psycopg.connect(autocommit=True, **connection_parameters(pg)) as connection:
            connection.execute("create schema marts")
            connection.execute(
                "create table marts.film as select * from (values"
                " (1, 'One of % many', 'Drama', 10, date '2026-01-01'),"
                " (2, 'Two', 'Comedy', 20, date '2026-01-02'),"
                " (3, 'Three', 'Drama', 30, date '2026-01-03'),"
                " (4, 'Four', 'Action', 40, date '2026-01-04')"
                ") as film (film_id, title, genre, votes, day)"
            )
        columns = {"film_id": "int", "title": "text", "genre": "text", "votes": "int", "day": "date"}
        node = {"resource_type": "model", "name": "film", "schema": "marts", "alias": "film"}
        node["columns"] = {name: {"data_type": kind} for name, kind in columns.items()}
        (scratch / "manifest.json").write_text(json.dumps({"nodes": {"film": node}}))
        yield Site(pg, scratch / "manifest.json", scratch)


@pytest.fixture(scope="session")
def gallery(rows: Site) -> Path:
    """A page with every kind of card on it."""
    written = rows.write("gallery.html", "--folder", str(GALLERY))
    assert written.exit_code == 0, written.stderr
    return written.path


@pytest.fixture(scope="session")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """Debian's Chromium without a window. Where it is missing the tests are skipped; in CI they fail."""
    binary, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if not binary or not driver:
        missing("chromium and chromedriver are missing: apt install chromium chromium-driver")
    with Browser(binary, driver, tmp_path_factory.mktemp("chromium")) as browser:
        yield browser


@pytest.fixture
def browser(chromium: Browser) -> Iterator[Browser]:
    """The browser as wide as a desk's, in light colours; a page that complains fails the test."""
    chromium.look()
    yield chromium
    assert chromium.complaints() == []
