"""Whatever happens in whichever order, the tables are those that plain Python makes of what was landed."""

import datetime as dt
import json
import pickle
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import hypothesis
import psycopg
import pytest
from hypothesis import strategies as st

from tests.databases import Databases, run_folder
from tests.dbt_project.compiled import Model, Warehouse, compile_project
from tests.dbt_project.conftest import LISTS, LandingZone, connection_parameters
from tests.dbt_project.expected import Landed
from tests.dbt_project.marts import assert_as_landed, everything
from tests.dbt_project.runner import Dbt

PROJECT = Path(__file__).resolve().parents[2]
#: Days in three months, so that months can be pruned; the last two follow each other.
DAYS = [
    dt.date(2026, 1, 5),
    dt.date(2026, 1, 20),
    dt.date(2026, 2, 3),
    dt.date(2026, 3, 1),
    dt.date(2026, 3, 2),
]
FILMS = [1, 2, 3]

COMPANIES = [
    [],
    [{"id": 7, "name": "Typo", "origin_country": "US"}],
    [{"id": 7, "name": "Seven", "origin_country": ""}, {"id": "7", "name": None}, {"id": 8, "name": "Eight"}],
    [{"id": 7, "name": None, "logo_path": "/7.png"}, {"id": None, "name": "Nobody"}],
    None,
]
GENRES = [
    [],
    [{"id": 18, "name": "Drama"}],
    [{"id": 18, "name": "drama"}, {"id": 10769, "name": "Foreign"}],
    {"id": 18},
]
LANGUAGES = [
    [],
    [{"iso_639_1": "cn", "name": "粤语"}, {"iso_639_1": "", "name": "?"}],
    [{"iso_639_1": "qq", "name": ""}],
]
COUNTRIES = [[], [{"iso_3166_1": "US", "name": "USA"}, {"iso_3166_1": "QQ", "name": "Nowhere"}], "US"]
COLLECTIONS = [
    None,
    {"id": 4, "name": "Saga"},
    {"id": 4, "name": "The Saga", "poster_path": "/s.jpg"},
    {"name": "No id"},
]
CREDITS: list[Any] = [
    None,
    {"success": False, "status_code": 34, "status_message": "Gone."},
    {"cast": [], "crew": []},
    {
        "cast": [
            {
                "id": 5,
                "name": "Ann",
                "gender": 1,
                "credit_id": "a",
                "character": "A",
                "order": 0,
                "popularity": 1.5,
            },
            {"id": 6, "name": "Ben", "credit_id": "b", "character": "", "order": 1},
            {"id": None, "name": "Nobody", "credit_id": "c"},
        ],
        "crew": [
            {
                "id": 5,
                "name": "Ann",
                "gender": 0,
                "credit_id": "d",
                "department": "Directing",
                "job": "Director",
            }
        ],
    },
    {
        "cast": [{"id": "5", "name": "Anne", "gender": 1, "credit_id": "a", "character": "B", "order": 0}],
        "crew": [{"id": 9, "name": None, "credit_id": "e", "department": "Writing", "job": "Writer"}, 3],
    },
    {"cast": [{"id": 6, "name": "Ben", "credit_id": "b"}]},
]
KEYWORDS: list[Any] = [
    None,
    {"keywords": []},
    {"keywords": [{"id": 1, "name": "heist"}, {"id": 1, "name": "heist"}, {"name": "?"}]},
    {"keywords": [{"id": 2, "name": "noir"}, {"id": 1, "name": None}]},
    [],
]
GENRE_LISTS = [
    {"genres": [{"id": 18, "name": "Drama"}, {"id": 35, "name": "Comedy"}]},
    {"genres": [{"id": 35, "name": "Comedies"}, {"id": 18, "name": ""}]},
    {"genres": []},
]

measures = st.sampled_from([0, 0.5, 7, 7.25, "8", None, -1.5, 11, "NaN", [], True])
films = st.fixed_dictionaries(
    {
        "title": st.sampled_from(["One", "Two", "Love &amp; loss", " ", None]),
        "original_language": st.sampled_from(["en", "qq", None]),
        "status": st.sampled_from(["Released", "Planned"]),
        "runtime": st.sampled_from([0, 90, 90.0, -1, "long"]),
        "release_date": st.sampled_from(["2026-02-01", "", "01/05/2019", "infinity", "12019-01-01"]),
        "genres": st.sampled_from(GENRES),
        "production_companies": st.sampled_from(COMPANIES),
        "spoken_languages": st.sampled_from(LANGUAGES),
        "production_countries": st.sampled_from(COUNTRIES),
        "belongs_to_collection": st.sampled_from(COLLECTIONS),
        "popularity": measures,
        "vote_average": measures,
        "vote_count": st.sampled_from([0, 3, 3.0, 120, -4, 2**40, "NaN"]),
    },
    optional={"credits": st.sampled_from(CREDITS), "keywords": st.sampled_from(KEYWORDS)},
)
#: A few films of one day; None: TMDB answers 404.
landings = st.tuples(
    st.just("land"),
    st.sampled_from(DAYS),
    st.dictionaries(
        st.sampled_from(FILMS), st.one_of(st.none(), films, films, films), min_size=1, max_size=3
    ),
    st.sampled_from([None, None, *GENRE_LISTS]),
)
#: The same film again as on another day, which most days are.
repeats = st.tuples(st.just("repeat"), st.sampled_from(DAYS), st.sampled_from(FILMS))
builds = st.one_of(
    st.just(("build", "increment", None, None)),
    st.tuples(st.just("build"), st.just("increment"), st.none(), st.integers(1, 30)),
    st.tuples(st.just("build"), st.just("increment"), st.sets(st.integers(0, 40), max_size=12), st.none()),
    st.just(("build", "full refresh", None, None)),
    st.just(("build", "reparse", None, None)),
)
prunes = st.tuples(st.just("prune"), st.sampled_from([dt.date(2026, 2, 1), dt.date(2026, 3, 1)]))
histories = st.lists(st.one_of(landings, landings, landings, repeats, builds, prunes), min_size=2, max_size=9)


class World:
    """A landing zone and the tables on it, in one transaction, with what was ever landed in mind."""

    def __init__(self, connection: psycopg.Connection[Any], models: list[Model]) -> None:
        self.connection = connection
        self.tables = Warehouse(connection, models)
        self.landed: dict[tuple[str, dt.date, int], Landed] = {}

    def do(self, action: tuple[Any, ...]) -> None:
        """Do one of the things that a history is made of."""
        kind, *how = action
        getattr(self, kind)(*how)

    def land(self, day: dt.date, films: dict[int, Any], genres: Any) -> None:
        """Land films and, if given, TMDB's list of genres."""
        gone = {"success": False, "status_code": 34}
        rows = [
            Landed("movie", day, id_, 404 if film is None else 200, film or gone)
            for id_, film in films.items()
        ]
        if genres is not None:
            rows.append(Landed("genre_list", day, 0, 200, genres))
        self.connection.execute(
            "select raw.ensure_partition(%s), nextval('raw.load_id_seq')", (day.replace(day=1),)
        )
        for row in rows:
            self.connection.execute(
                "insert into raw.tmdb_response (resource, snapshot_date, resource_id, http_status, payload,"
                " run_id, load_id, landed_at)"
                " values (%s, %s, %s, %s, %s, 1, currval('raw.load_id_seq'), now())"
                " on conflict (resource, snapshot_date, resource_id) do update set"
                " http_status = excluded.http_status, payload = excluded.payload, load_id = excluded.load_id",
                (*row[:1], row.snapshot_date, row.resource_id, row.http_status, json.dumps(row.payload)),
            )
            self.landed[row[:3]] = row

    def repeat(self, day: dt.date, film: int) -> None:
        """Land a film as it was on its last day before ``day``."""
        before = [
            r
            for r in self.landed.values()
            if r[:1] == ("movie",) and r.resource_id == film and r.snapshot_date < day
        ]
        if before:
            last = max(before, key=lambda row: row.snapshot_date)
            self.land(day, {film: last.payload if last.http_status == 200 else None}, None)

    def build(self, way: str, only: set[int] | None, stop_after: int | None) -> None:
        """Build all tables, some of them, or the first few."""
        names = None if only is None else {m.name for i, m in enumerate(self.tables.models) if i in only}
        self.tables.build(way, names, stop_after)

    def prune(self, before: dt.date) -> None:
        """Drop the days before, as `extractor prune` does once staging has read them."""
        self.tables.build()
        self.connection.execute("delete from raw.tmdb_response where snapshot_date < %s", (before,))

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """What ``query`` returns."""
        return self.connection.execute(query.encode()).fetchall()


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


@hypothesis.given(history=histories)
@hypothesis.settings(max_examples=hypothesis.settings().max_examples)
def test_any_history(
    connection: psycopg.Connection[Any], compiled: tuple[str, list[Model]], history: list[tuple[Any, ...]]
) -> None:
    """Increments, a full refresh, a reading anew and plain Python agree on every mart and view."""
    try:
        world = World(connection, compiled[1])
        world.land(DAYS[0], {1: {"title": "Zero"}}, LISTS["genre_list"])
        for action in history:
            world.do(action)
        world.tables.build()
        assert_as_landed(world.rows, world.landed.values())
        increments = everything(world.rows)
        for way in ("full refresh", "reparse"):
            world.tables.build(way)
            assert everything(world.rows) == increments, way
    finally:
        connection.rollback()
