"""What was once read is evidence, whatever the landing zone still holds: each case once lost or spoilt it."""

import datetime as dt
import random
from typing import Any

import pytest

from tests.dbt_project.marts import assert_as_landed, everything
from tests.dbt_project.played import World
from tests.left_out import slow_but

JANUARY, FEBRUARY, MARCH = dt.date(2026, 1, 10), dt.date(2026, 2, 10), dt.date(2026, 3, 10)
NEXT = dt.timedelta(days=1)
PRUNED = dt.date(2026, 2, 1)

CREDITS = {
    "cast": [{"id": 5, "name": "Ann", "credit_id": "a", "character": "A", "order": 0}],
    "crew": [{"id": 6, "name": "Ben", "credit_id": "b", "department": "Directing", "job": "Director"}],
}
KEYWORDS = {"keywords": [{"id": 1, "name": "heist"}]}


def film(**fields: Any) -> dict[str, Any]:
    """A payload without blocks."""
    said = {
        "title": "One",
        "popularity": 1,
        "vote_average": 5,
        "vote_count": 2,
        "genres": [{"id": 18, "name": "Drama"}],
    }
    return {**said, **fields}


def full(**fields: Any) -> dict[str, Any]:
    """A payload with credits and keywords."""
    return film(credits=CREDITS, keywords=KEYWORDS, **fields)


def one(world: World, query: str) -> Any:
    """The only value that ``query`` finds."""
    ((value,),) = world.rows(query)
    return value


def build(world: World) -> None:
    """Build, and see that plain Python, a full refresh and a reading anew find the same."""
    world.tables.build()
    assert_as_landed(world.rows, world.landed.values())
    increments = everything(world.rows)
    for way in ("full refresh", "reparse"):
        world.tables.build(way)
        assert everything(world.rows) == increments, way


CAST, CREW = "select count(*) from marts.bridge_movie_cast", "select count(*) from marts.bridge_movie_crew"
WORDS = "select count(*) from marts.bridge_movie_keyword"


def test_a_film_that_goes_after_its_full_payload_was_pruned(world: World) -> None:
    world.land(JANUARY, {1: full()}, None)
    world.prune(PRUNED)
    world.land(MARCH, {1: None}, None)
    build(world)
    assert [one(world, query) for query in (CAST, CREW, WORDS)] == [1, 1, 1]
    assert one(world, "select vanished_on from marts.dim_movie") == MARCH
    assert one(world, "select valid_to from marts.dim_movie_history") == MARCH


def test_a_full_refresh_fills_the_loads_that_an_older_version_did_not_note(world: World) -> None:
    world.land(JANUARY, {1: full()}, None)
    build(world)
    world.connection.execute(
        "update staging.int_movie_latest set credits_load_id = null, keywords_load_id = null"
    )
    build(world)
    assert [one(world, query) for query in (CAST, CREW, WORDS)] == [1, 1, 1]


@pytest.mark.parametrize(
    "block",
    slow_but(
        1,
        [
            {},
            {"credits": None},
            {"credits": {"success": False, "status_code": 34}},
            {"credits": {"cast": None}},
        ],
    ),
)
def test_a_payload_without_credits_after_the_one_with_them_was_pruned(
    world: World, block: dict[str, Any]
) -> None:
    world.land(JANUARY, {1: full()}, None)
    world.prune(PRUNED)
    world.land(MARCH, {1: film(**block)}, None)
    build(world)
    assert [one(world, query) for query in (CAST, CREW, WORDS)] == [1, 1, 1]


def test_a_late_row_of_a_pruned_day_joins_those_that_were_there(world: World) -> None:
    world.land(JANUARY, {1: film(), 2: film(), 3: film()}, None)
    world.prune(PRUNED)
    world.land(JANUARY, {4: film()}, None)
    build(world)
    assert one(world, "select movie_count from marts.agg_genre_daily") == 4
    assert one(world, "select count(*) from marts.fact_movie_daily") == 4


def test_a_late_row_of_a_pruned_month_leaves_the_history_as_it_was(world: World) -> None:
    for day, title in ((JANUARY, "One"), (JANUARY + 5 * NEXT, "Two"), (MARCH, "Two")):
        world.land(day, {1: film(title=title)}, None)
    world.prune(PRUNED)
    world.land(JANUARY + NEXT, {1: film(title="One")}, None)
    build(world)
    versions = world.rows("select valid_from, change_kind, title from marts.dim_movie_history order by 1")
    assert versions == [(JANUARY, "first seen", "One"), (JANUARY + 5 * NEXT, "changed", "Two")]


def test_an_older_payload_after_a_prune_changes_nothing_of_today(world: World) -> None:
    def named(title: str, company: str) -> dict[str, Any]:
        return film(title=title, production_companies=[{"id": 7, "name": company}])

    world.land(FEBRUARY, {1: named("New", "New Company")}, None)
    world.prune(MARCH)
    world.land(JANUARY, {1: named("Old", "Old Company")}, None)
    build(world)
    assert one(world, "select title from marts.dim_movie") == "New"
    assert one(world, "select name from marts.dim_company") == "New Company"


def test_a_month_that_was_dropped_by_hand_stays_in_the_tables(world: World) -> None:
    for day in (JANUARY, FEBRUARY, MARCH):
        world.land(day, {1: film()}, None)
    world.tables.build()
    world.connection.execute("drop table raw.tmdb_response_202601")
    build(world)
    assert one(world, "select count(*) from marts.fact_movie_daily") == 3


def test_a_film_that_the_same_day_found_and_lost_was_never_there(world: World) -> None:
    world.land(JANUARY, {1: full(), 2: film()}, None)
    world.tables.build()
    assert one(world, CAST) == 1
    world.land(JANUARY, {1: None}, None)
    build(world)
    assert world.rows("select movie_id from marts.dim_movie") == [(2,)]
    assert [one(world, query) for query in (CAST, CREW, WORDS)] == [0, 0, 0]
    assert one(world, "select count(*) from marts.dim_person") == 0


def test_a_name_that_the_same_day_took_back_is_forgotten(world: World) -> None:
    def of_company(name: str) -> dict[str, Any]:
        return film(production_companies=[{"id": 7, "name": name}])

    world.land(JANUARY, {1: of_company("Seven")}, None)
    world.land(FEBRUARY, {1: of_company("Typo")}, None)
    world.tables.build()
    assert one(world, "select name from marts.dim_company") == "Typo"
    world.land(FEBRUARY, {1: of_company("Seven")}, None)
    build(world)
    assert one(world, "select name from marts.dim_company") == "Seven"


def test_a_day_that_landed_again_before_its_lists_were_read_keeps_them(world: World) -> None:
    """A build was ended after the films' days, the same answer landed again, and some tables were built."""
    world.land(MARCH, {1: full()}, None)
    world.tables.build(only={"stg_tmdb__movie_snapshot"})
    world.land(MARCH, {1: full()}, None)
    world.tables.build(only={"stg_tmdb__block_version", "stg_tmdb__movie_version", "stg_tmdb__movie_crew"})
    build(world)
    assert one(world, CREW) == 1


def test_a_day_that_landed_otherwise_before_its_lists_were_read(world: World) -> None:
    """The same, and the day no longer shows what a later day, which was read long ago, still does."""
    for day in (FEBRUARY, MARCH):
        world.land(day, {1: full()}, None)
    world.tables.build(only={"stg_tmdb__movie_snapshot", "stg_tmdb__block_version"})
    world.land(FEBRUARY, {1: None}, None)
    world.tables.build(only={f"stg_tmdb__movie_{name}" for name in ("version", "cast", "crew", "keyword")})
    build(world)
    assert [one(world, query) for query in (CAST, CREW, WORDS)] == [1, 1, 1]


def test_a_rebuild_of_some_tables_takes_no_film_for_gone(
    world: World,
) -> None:
    world.land(FEBRUARY, {1: film(), 2: film()}, None)
    build(world)
    world.land(MARCH, {1: film(title="New"), 2: None}, None)
    world.tables.build(only={"stg_tmdb__movie_snapshot", "stg_tmdb__block_version"})
    world.tables.build("full refresh", only={"int_movie_latest", "dim_movie", "fact_movie_daily"})
    assert one(world, "select count(*) from marts.fact_movie_daily") == 2
    build(world)
    assert one(world, "select title from marts.dim_movie where movie_id = 1") == "New"


def test_a_company_sent_without_a_name_keeps_the_one_it_had(world: World) -> None:
    world.land(JANUARY, {1: film(production_companies=[{"id": 7, "name": "Seven"}])}, None)
    world.land(
        FEBRUARY, {1: film(production_companies=[{"id": 7, "name": None}, {"id": None, "name": "X"}])}, None
    )
    build(world)
    assert world.rows("select company_id, name from marts.dim_company") == [(7, "Seven")]


def test_a_film_that_is_gone_neither_ranks_nor_counts_from_that_day(world: World) -> None:
    popular = {
        "popularity": 99,
        "vote_count": 1000,
        "original_language": "qq",
        "release_date": "2026-03-01",
        "belongs_to_collection": {"id": 4, "name": "Saga"},
        "production_companies": [{"id": 7, "name": "Seven"}],
        "production_countries": [{"iso_3166_1": "QQ", "name": "Q"}],
        "genres": [{"id": 99, "name": "Gone"}],
    }
    day = MARCH - 7 * NEXT
    world.land(day, {1: full(**popular), 2: film()}, None)
    world.land(MARCH, {1: full(**{**popular, "popularity": 100}), 2: film()}, None)
    world.tables.build()
    assert one(world, "select movie_id from analytics.vw_top_movies where rank = 1") == 1
    assert one(world, "select count(*) from analytics.vw_rising_movies") == 1
    world.land(MARCH + NEXT, {1: None, 2: film()}, None)
    build(world)
    assert world.rows("select movie_id from analytics.vw_top_movies") == [(2,)]
    for view in (
        "vw_rising_movies",
        "vw_release_calendar",
        "vw_company_performance",
        "vw_collection_performance",
        "vw_country_popularity",
        "vw_person_popularity",
    ):
        assert one(world, f"select count(*) from analytics.{view}") == 0, view
    assert world.rows("select genre_name from analytics.vw_genre_popularity") == [("Drama",)]
    assert one(world, "select sum(movie_count) from analytics.vw_language_share") == 1
    assert world.rows("select movie_id, vanished_on from analytics.vw_movie_latest order by 1") == [
        (1, MARCH + NEXT),
        (2, None),
    ]


#: Longer than an index takes, and nothing that compression would shorten.
LONG = "".join(map(chr, random.Random(1).sample(range(0x4E00, 0x9FA0), 9000)))
WRONG: list[Any] = [LONG, 2**63, {"id": 1}]
WRONG += ["NaN", 18.5, "18.5", -0.4, [[{"id": 1}]], "\u3164", "&#1;", "&#146;", "2026-02-29", "0000-00-00"]
WRONG += ["Infinity", "-infinity", "today", "01/05/2019", "12019-01-01", "0x1F", "1_000", " ", "\u00a0"]
WRONG += ["&nbsp;", -1, -1.5, 11.5, 2**31, 1e30, True, [], {}, [1]]


@pytest.mark.parametrize("value", slow_but(3, WRONG), ids=repr)
def test_a_value_that_cannot_be_never_stops_a_day(world: World, value: Any) -> None:
    fields = (
        "title",
        "original_title",
        "original_language",
        "overview",
        "tagline",
        "homepage",
        "imdb_id",
        "status",
        "release_date",
        "runtime",
        "budget",
        "revenue",
        "poster_path",
        "backdrop_path",
        "belongs_to_collection",
        "adult",
        "video",
        "popularity",
        "vote_average",
        "vote_count",
        "genres",
        "production_companies",
        "production_countries",
        "spoken_languages",
    )
    members = {
        "belongs_to_collection": {"id": value, "name": value},
        "genres": [{"id": value, "name": "?"}, {"id": 18, "name": value}, value, [{"id": 35, "name": "?"}]],
        "production_companies": [
            {"id": value},
            {"id": 3, "name": value, "logo_path": value, "origin_country": value},
        ],
        "production_countries": [{"iso_3166_1": value, "name": "?"}, {"iso_3166_1": "US", "name": value}],
        "spoken_languages": [{"iso_639_1": value, "name": "?"}, {"iso_639_1": "en", "english_name": value}],
        "credits": {
            "cast": [
                {"id": value, "credit_id": "a"},
                {"id": 1, "credit_id": value},
                {"id": 2, "credit_id": "b", "order": value},
            ],
            "crew": [
                {"id": 2, "credit_id": "c", "job": value, "department": value, "gender": value, "name": value}
            ],
        },
        "keywords": {"keywords": [{"id": value, "name": "?"}, {"id": 4, "name": value}, value]},
        "origin_country": [value, "US"],
        "release_dates": {
            "results": [
                {"iso_3166_1": value, "release_dates": [{"type": 3}]},
                {"iso_3166_1": "US", "release_dates": [value, {"type": value, "certification": value}]},
                {"iso_3166_1": "US", "release_dates": [{"release_date": value, "note": value}]},
            ]
        },
        "watch/providers": {
            "results": {
                "US": {"rent": [value, {"provider_id": value}, {"provider_id": 8, "provider_name": value}]},
                "DE": value,
                "FR": {"rent": value},
                str(value): {"rent": [{"provider_id": 8}], str(value): [{"provider_id": 8}]},
            }
        },
        "translations": {
            "translations": [
                {"iso_639_1": value, "iso_3166_1": "US"},
                {"iso_639_1": "en", "iso_3166_1": value, "data": {"title": value}},
                {"iso_639_1": "en", "data": value},
            ]
        },
        "external_ids": {"imdb_id": value, f"{value}_id": "1"},
        "alternative_titles": {"titles": [value, {"title": value}, {"iso_3166_1": value, "title": "?"}]},
        "videos": {"results": [value, {"type": value}]},
    }
    blocks = {
        "credits": "cast",
        "keywords": "keywords",
        "release_dates": "results",
        "watch/providers": "results",
        "translations": "translations",
        "external_ids": "imdb_id",
        "alternative_titles": "titles",
        "videos": "results",
    }
    world.land(JANUARY, {1: dict.fromkeys(fields, value), 2: {**full(), **members}, 3: film()}, None)
    for number, field in enumerate(fields, 10):
        world.land(JANUARY, {number: film(**{field: value})}, None)
    for number, (block, field) in enumerate(blocks.items(), 50):
        wrong = {number: film(**{block: value}), 10 + number: film(**{block: {field: value}})}
        world.land(JANUARY, wrong, None)
    build(world)
    lost = one(world, "select count(*) from staging.stg_tmdb__movie_version where lost_fields <> '{}'")
    assert lost > 0


def test_the_least_and_the_greatest_measures_can_be_compared(world: World) -> None:
    measures = [
        {"popularity": popularity, "vote_average": rating, "vote_count": votes}
        for popularity in (0, 0.000001, 5, 99_999_999)
        for rating, votes in ((0, 0), (10, 1), (10, 2**31 - 1))
    ]
    for day, order in ((MARCH - 7 * NEXT, measures), (MARCH, measures[::-1]), (MARCH + NEXT, measures)):
        world.land(day, {id_: full(**film) for id_, film in enumerate(order, 1)}, None)
        build(world)


def test_what_is_read_anew_comes_from_the_days_that_are_left(world: World) -> None:
    for day in (JANUARY, FEBRUARY, MARCH):
        world.land(day, {1: full()}, None)
    world.prune(PRUNED)
    # as if staging had been typed by a version of the project that knew less
    world.connection.execute("update staging.stg_tmdb__movie_version set status = 'wrong', genre_ids = '{}'")
    world.connection.execute("update staging.stg_tmdb__movie_cast set character_name = null")
    world.tables.build("reparse")
    assert_as_landed(world.rows, world.landed.values())
