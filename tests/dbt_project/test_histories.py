"""Whatever happens in whichever order, the tables are those that plain Python makes of what was landed."""

import datetime as dt
from typing import Any

import hypothesis
import psycopg
from hypothesis import strategies as st

from tests.dbt_project.compiled import Model
from tests.dbt_project.conftest import LISTS
from tests.dbt_project.marts import assert_as_landed, everything
from tests.dbt_project.played import World

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
ALPHA = {"provider_id": 8, "provider_name": "Alpha", "display_priority": 1}
BETA = {"provider_id": 9, "provider_name": None}
PROVIDERS: list[Any] = [
    {"success": False, "status_code": 34, "status_message": "Gone."},
    {"results": {}},
    {"results": {"US": {"flatrate": [ALPHA], "rent": [ALPHA, BETA]}}},
    {"results": {"US": {"flatrate": [{**ALPHA, "provider_name": "Alfa"}]}, "DE": {"ads": [BETA]}}},
]
RELEASES: list[Any] = [
    None,
    {"results": []},
    {
        "results": [
            {"iso_3166_1": "US", "release_dates": [{"release_date": "2026-03-02T00:00:00.000Z", "type": 3}]}
        ]
    },
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
    optional={
        "credits": st.sampled_from(CREDITS),
        "keywords": st.sampled_from(KEYWORDS),
        "watch/providers": st.sampled_from(PROVIDERS),
        "release_dates": st.sampled_from(RELEASES),
    },
)
#: A few films of one day; None: TMDB answers 404.
landings = st.tuples(
    st.just("land"),
    st.sampled_from(DAYS),
    st.dictionaries(
        st.sampled_from(FILMS), st.one_of(st.none(), films, films, films), min_size=1, max_size=3
    ),
    st.sampled_from([None, None, *GENRE_LISTS]),
    st.sampled_from(["en-US", "en-US", "fr-FR"]),
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


@hypothesis.given(history=histories)
@hypothesis.settings(max_examples=max(30, hypothesis.settings().max_examples // 2))
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
