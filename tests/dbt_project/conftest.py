"""A warehouse to build with dbt, and a landing zone to put there what a test wants to see modelled."""

import datetime as dt
import json
import pickle
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import psycopg
import pytest

from extractor.schema import MIGRATIONS
from tests.databases import Databases, connection_parameters, run_folder
from tests.dbt_project.compiled import Model, Warehouse, compile_project
from tests.dbt_project.expected import Landed
from tests.dbt_project.played import World
from tests.dbt_project.runner import Dbt

PROJECT = Path(__file__).resolve().parents[2]

GENRES = {
    "genres": [{"id": 18, "name": "Drama"}, {"id": 35, "name": "Comedy"}, {"id": 99, "name": "Documentary"}]
}
COUNTRIES = [
    {"iso_3166_1": "CH", "english_name": "Switzerland", "native_name": "Switzerland"},
    {"iso_3166_1": "NA", "english_name": "Namibia", "native_name": "Namibia"},
    {"iso_3166_1": "US", "english_name": "United States of America", "native_name": "United States"},
]
LANGUAGES = [
    {"iso_639_1": "en", "english_name": "English", "name": "English"},
    {"iso_639_1": "cn", "english_name": "Cantonese", "name": "粤语"},
    {"iso_639_1": "xx", "english_name": "No Language", "name": "No Language"},
    {"iso_639_1": "aa", "english_name": "Afar", "name": ""},
]
LISTS = {"genre_list": GENRES, "country_list": COUNTRIES, "language_list": LANGUAGES}


class LandingZone:
    """Writes payloads into the real landing zone as the extractor would, and remembers them."""

    def __init__(self, pg: Mapping[str, str], models: list[Model] | None = None) -> None:
        self._models = models
        self.connection = psycopg.connect(autocommit=True, **connection_parameters(pg))
        if self.rows("select to_regclass('raw.schema_version')") == [(None,)]:  # else a copy of a built one
            for migration in MIGRATIONS:
                self.connection.execute(migration.script)
        row = self.connection.execute(
            "insert into raw.extract_run (mode, parameters, snapshot_date, started_at, status)"
            " values ('popular', '{}', current_date, now(), 'running') returning run_id"
        ).fetchone()
        assert row
        self.run_id = row[0]
        self.landed: dict[tuple[str, dt.date, int], Landed] = {}

    def land(
        self,
        date: dt.date,
        films: Mapping[int, dict[str, Any] | None],
        lists: Mapping[str, Any] | None = None,
        language: str = "en-US",
    ) -> None:
        """Land films (None: TMDB answers 404) and lists (by default the newest as ever) for ``date``."""
        month = date.replace(day=1)
        following = (month + dt.timedelta(days=32)).replace(day=1)
        self.connection.execute(
            f"create table if not exists raw.tmdb_response_{month:%Y%m} partition of raw.tmdb_response"
            f" for values from ('{month}') to ('{following}')"
        )
        gone = {"success": False, "status_code": 34, "status_message": "The resource could not be found."}
        batch = [
            Landed("movie", date, id_, 200 if film else 404, film or gone, language)
            for id_, film in films.items()
        ]
        batch += [Landed(name, date, 0, 200, body) for name, body in (lists or LISTS).items()]
        with self.connection.transaction():
            row = self.connection.execute("select nextval('raw.load_id_seq')").fetchone()
            assert row
            for response in batch:
                self.connection.execute(
                    "insert into raw.tmdb_response (resource, snapshot_date, resource_id, http_status,"
                    " payload, run_id, load_id, language, landed_at)"
                    " values (%s, %s, %s, %s, %s, %s, %s, nullif(%s, 'en-US'), clock_timestamp())"
                    " on conflict (resource, snapshot_date, resource_id) do update set"
                    " payload = excluded.payload, http_status = excluded.http_status,"
                    " load_id = excluded.load_id, language = excluded.language",
                    (
                        *response[:4],
                        json.dumps(response.payload),
                        self.run_id,
                        row[0],
                        response.language,
                    ),
                )
        self.landed.update({response[:3]: response for response in batch})

    def build(self, way: str = "increment") -> None:
        """Build with dbt's own statements, in a twentieth of its time; on a copy of what it built."""
        assert self._models is not None
        with self.connection.transaction():
            Warehouse(self.connection, self._models).build(way)

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """What ``query`` returns."""
        return self.connection.execute(query.encode()).fetchall()


@pytest.fixture
def database(databases: Databases, request: pytest.FixtureRequest) -> Iterator[dict[str, str]]:
    """An empty database, or for `built_zone` a warehouse that dbt has built on an empty landing zone."""
    is_built = "built_zone" in request.fixturenames
    with databases.new(request.getfixturevalue("compiled")[0] if is_built else None) as pg:
        yield pg


@pytest.fixture
def landing_zone(database: dict[str, str]) -> Iterator[LandingZone]:
    """An empty landing zone in a fresh database."""
    zone = LandingZone(database)
    yield zone
    zone.connection.close()


@pytest.fixture
def built_zone(database: dict[str, str], compiled: tuple[str, list[Model]]) -> Iterator[LandingZone]:
    """An empty landing zone under tables that dbt has built on it."""
    zone = LandingZone(database, compiled[1])
    yield zone
    zone.connection.close()


@pytest.fixture
def dbt(database: dict[str, str], tmp_path: Path) -> Iterator[Dbt]:
    """dbt on that database."""
    with Dbt(PROJECT / "dbt_project", database, tmp_path) as runner:
        yield runner


@pytest.fixture(scope="session")
def compiled(databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, list[Model]]:
    """A template of a warehouse built on an empty landing zone, and the statements of its models."""
    models = run_folder() / "compiled.models"

    def build(pg: dict[str, str]) -> None:
        LandingZone(pg).connection.close()
        with Dbt(PROJECT / "dbt_project", pg, tmp_path_factory.mktemp("compiled")) as dbt:
            models.write_bytes(pickle.dumps(compile_project(dbt)))

    template = databases.template("compiled", build)
    return template, pickle.loads(models.read_bytes())


@pytest.fixture(scope="module")
def connection(databases: Databases, compiled: tuple[str, list[Model]]) -> Iterator[psycopg.Connection[Any]]:
    """A connection to a copy of that warehouse."""
    with databases.new(compiled[0]) as pg:
        connection = psycopg.connect(**connection_parameters(pg))
        yield connection
        connection.close()


@pytest.fixture
def world(connection: psycopg.Connection[Any], compiled: tuple[str, list[Model]]) -> Iterator[World]:
    """A landing zone and tables, both empty, on which builds are played."""
    yield World(connection, compiled[1])
    connection.rollback()
