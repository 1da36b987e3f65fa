"""A small warehouse that dbt built, and connections to it in every role."""

import datetime as dt
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

import warehouse
from tests.databases import Databases, connection_parameters, server
from tests.dbt_project.conftest import PROJECT, LandingZone
from tests.dbt_project.runner import Dbt
from warehouse import roles
from warehouse.server import Server

PASSWORD = "reader's secret: \\ 'quoted'"
FIRST = dt.date(2026, 1, 1)
FILMS = {
    11: {
        "id": 11,
        "title": "Star Wars",
        "release_date": "1977-05-25",
        "original_language": "en",
        "popularity": 90.5,
        "vote_average": 8.2,
        "vote_count": 21000,
        "genres": [{"id": 18, "name": "Drama"}],
        "production_companies": [{"id": 1, "name": "Lucasfilm Ltd.", "origin_country": "US"}],
        "production_countries": [{"iso_3166_1": "US", "name": "United States of America"}],
        "spoken_languages": [{"iso_639_1": "en", "english_name": "English", "name": "English"}],
    },
    12: {"id": 12, "title": "Finding Nemo", "popularity": 70, "vote_average": 7.8, "vote_count": 1000},
}

Connect = Callable[..., psycopg.Connection]


def conninfo(pg: Mapping[str, str], **changed: str) -> str:
    """The connection of the PG* variables, with what is changed."""
    return make_conninfo("", **connection_parameters(pg) | changed)


@pytest.fixture
def connect(database: dict[str, str]) -> Iterator[Connect]:
    """Opens connections in autocommit to the test's database: `connect(user=…)`."""
    with ExitStack() as stack:

        def opened(**changed: str) -> psycopg.Connection:
            return stack.enter_context(psycopg.connect(conninfo(database, **changed), autocommit=True))

        yield opened


@pytest.fixture
def reader(connect: Connect) -> Callable[[], psycopg.Connection]:
    """Makes the role and connects as it."""

    def made() -> psycopg.Connection:
        roles.make_reader(connect(), password=PASSWORD)
        return connect(user=roles.READER, password=PASSWORD)

    return made


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """The PG* variables of a server of these tests' own, as roles belong to all databases of a server.

    Where PGHOST names a server, it is that one.
    """
    if os.environ.get("PGHOST"):
        yield server()
        return
    home = tmp_path_factory.mktemp("roles") / "server"
    try:
        yield {**warehouse.ensure(home, durable=False), "PGDATABASE": "postgres"}
    finally:
        Server(home).stop()


@pytest.fixture(scope="session")
def databases(postgres: dict[str, str]) -> Databases:
    """Makes databases on it."""
    return Databases(postgres)


@pytest.fixture
def database(databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """The PG* variables of a database with two days of films, which lives as long as the test."""

    def two_days(pg: dict[str, str]) -> None:
        zone = LandingZone(pg)
        zone.land(FIRST, FILMS)
        zone.land(FIRST + dt.timedelta(days=1), FILMS)
        zone.connection.close()
        with Dbt(PROJECT / "dbt_project", pg, tmp_path_factory.mktemp("template")) as dbt:
            dbt("run")

    with databases.new(databases.template("roles", two_days)) as pg:
        yield pg


@pytest.fixture
def dbt(database: dict[str, str], tmp_path: Path) -> Iterator[Dbt]:
    """dbt on that database."""
    with Dbt(PROJECT / "dbt_project", database, tmp_path) as runner:
        yield runner
