"""A small warehouse that dbt built, and connections to it in every role."""

import datetime as dt
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import make_conninfo

from tests.dbt_project.conftest import PROJECT, LandingZone
from tests.dbt_project.runner import Dbt
from warehouse import roles

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
    keys = {
        "PGHOST": "host",
        "PGPORT": "port",
        "PGUSER": "user",
        "PGPASSWORD": "password",
        "PGDATABASE": "dbname",
    }
    return make_conninfo("", **{key: pg[name] for name, key in keys.items() if pg.get(name)} | changed)


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
def template(postgres: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The name of a database with two days of films, built once and copied by each test that wants it."""
    name = f"test_template_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(conninfo(postgres), autocommit=True) as admin:
        admin.execute(sql.SQL("create database {}").format(sql.Identifier(name)))
        try:
            pg = {**postgres, "PGDATABASE": name}
            zone = LandingZone(pg)
            zone.land(FIRST, FILMS)
            zone.land(FIRST + dt.timedelta(days=1), FILMS)
            zone.connection.close()
            with Dbt(PROJECT / "dbt_project", pg, tmp_path_factory.mktemp("template")) as dbt:
                dbt("run")
            yield name
        finally:
            admin.execute(sql.SQL("drop database {} with (force)").format(sql.Identifier(name)))


@pytest.fixture
def database(template: str, postgres: dict[str, str]) -> Iterator[dict[str, str]]:
    """The PG* variables of a copy of the template that lives as long as the test."""
    name = f"test_{uuid.uuid4().hex[:16]}"
    copy, original = sql.Identifier(name), sql.Identifier(template)
    with psycopg.connect(conninfo(postgres), autocommit=True) as admin:
        admin.execute(sql.SQL("create database {} template {}").format(copy, original))
        # what belongs to the database and not to its content is not copied
        admin.execute(sql.SQL("alter database {} set search_path to analytics, marts, public").format(copy))
        yield {**postgres, "PGDATABASE": name}
        admin.execute(sql.SQL("drop database {} with (force)").format(copy))


@pytest.fixture
def dbt(database: dict[str, str], tmp_path: Path) -> Iterator[Dbt]:
    """dbt on that database."""
    with Dbt(PROJECT / "dbt_project", database, tmp_path) as runner:
        yield runner
