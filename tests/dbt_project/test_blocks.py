"""The blocks of full payloads: each a table of its own, in which absence is not emptiness."""

import datetime as dt
from typing import Any

from tests.dbt_project.conftest import LISTS, LandingZone
from tests.dbt_project.marts import assert_as_landed
from tests.dbt_project.runner import Dbt

DAY = dt.date(2026, 3, 1)
LATER = DAY + dt.timedelta(days=1)
LAST = DAY + dt.timedelta(days=2)

CERTIFICATIONS = {
    "certifications": {
        "US": [
            {"certification": "PG-13", "meaning": "Parents cautioned.", "order": 3},
            {"certification": "R", "meaning": "Restricted.", "order": 4},
            {"certification": "", "meaning": "?", "order": 0},
        ],
        "DE": [{"certification": "12", "meaning": "", "order": "late"}],
        "XX": "none",
    }
}
ALPHA = {"provider_id": 8, "provider_name": "Alpha", "logo_path": "/a.jpg", "display_priority": 0}
BETA = {"provider_id": 9, "provider_name": "Beta", "logo_path": "/b.jpg", "display_priority": 4}
PROVIDERS = {"results": [{**ALPHA, "provider_name": "Alpha TV"}, {"provider_id": None}]}
BLOCK_LISTS = {**LISTS, "certification_list": CERTIFICATIONS, "watch_provider_list": PROVIDERS}


def release(day: Any, kind: Any, certification: Any = "", note: Any = "", **more: Any) -> dict[str, Any]:
    return {"release_date": day, "type": kind, "certification": certification, "note": note, **more}


RELEASES = {
    "results": [
        {
            "iso_3166_1": "US",
            "release_dates": [
                release("2026-03-20T00:00:00.000Z", 3, "PG-13"),
                release("2026-03-20T00:00:00.000Z", 3, "PG-13"),
                release("2026-03-20T00:00:00.000Z", 3, "PG-13", "IMAX", iso_639_1="en"),
                release("2026-02-28T00:00:00.000Z", 1, "Unrated", "Festival"),
                release("2026-05-04T00:00:00.000Z", 4),
                {"release_date": "2027-01-01T00:00:00.000Z", "certification": "R"},
                release("2026-13-45T00:00:00.000Z", 9, 7, ["?"]),
                release(None, None),
                "no release",
            ],
        },
        {"iso_3166_1": "DE", "release_dates": [release("2026-03-01T00:00:00.000Z", 2, "12")]},
        {"iso_3166_1": "QQ", "release_dates": [release("2026-03-31T00:00:00.000Z", 4)]},
        {"iso_3166_1": None, "release_dates": [release("2026-03-31T00:00:00.000Z", 4)]},
        {"iso_3166_1": "FR", "release_dates": []},
        3,
    ]
}
WATCH = {
    "results": {
        "US": {"link": "https://example.org", "flatrate": [ALPHA], "rent": [ALPHA, BETA, BETA]},
        "DE": {"link": "https://example.org", "ads": [{**BETA, "provider_name": " "}, {"provider_id": "x"}]},
        "FR": {"link": "https://example.org"},
        "CH": "closed",
    }
}
FULL: dict[str, Any] = {
    "id": 1,
    "title": "One",
    "original_language": "en",
    "origin_country": ["US", "US", "", None, "QQ"],
    "popularity": 5,
    "vote_average": 7,
    "vote_count": 10,
    "release_dates": RELEASES,
    "watch/providers": WATCH,
    "translations": {
        "translations": [
            {
                "iso_639_1": "de",
                "iso_3166_1": "DE",
                "data": {"title": "Eins", "overview": "", "tagline": None},
            },
            {"iso_639_1": "de", "iso_3166_1": "CH", "data": {"title": "", "overview": "Kurz &amp; gut"}},
            {"iso_639_1": "xx", "iso_3166_1": "", "data": None},
            {"iso_639_1": "", "iso_3166_1": "FR", "data": {"title": "Un"}},
            None,
        ]
    },
    "external_ids": {"imdb_id": "tt0000001", "wikidata_id": "Q1", "facebook_id": "", "twitter_id": None},
    "alternative_titles": {
        "titles": [
            {"iso_3166_1": "US", "title": "The One", "type": ""},
            {"iso_3166_1": "US", "title": "The One", "type": "working title"},
            {"iso_3166_1": "FR", "title": "", "type": ""},
            {"title": "Uno"},
        ]
    },
    "videos": {"results": [{"type": "Trailer"}, {"type": "Clip"}, 5]},
}
BLOCKS = (
    "release_dates", "watch/providers", "translations", "external_ids", "alternative_titles", "videos",
)  # fmt: skip
LEAN: dict[str, Any] = {name: value for name, value in FULL.items() if name not in BLOCKS}
EMPTY: dict[str, Any] = {
    "release_dates": {"results": []},
    "watch/providers": {"results": {}},
    "translations": {"translations": []},
    "external_ids": {"imdb_id": None},
    "alternative_titles": {"titles": []},
    "videos": {"results": []},
}
BROKEN = {key: {"success": False, "status_code": 34, "status_message": "Gone."} for key in BLOCKS}
TABLES = (
    "bridge_movie_release", "bridge_movie_provider", "bridge_movie_translation", "bridge_movie_external_id",
    "bridge_movie_alternative_title", "agg_movie_video", "fact_movie_provider_change",
)  # fmt: skip


def counts(zone: LandingZone, film: int) -> dict[str, int]:
    """Rows of a film, by table."""
    return {
        table: zone.rows(f"select count(*) from marts.{table} where movie_id = {film}")[0][0]
        for table in TABLES
    }


def check(zone: LandingZone) -> None:
    """Everything is as plain Python has it."""
    assert_as_landed(zone.rows, zone.landed.values())


def test_a_block_is_kept_until_another_one_replaces_it(built_zone: LandingZone) -> None:
    built_zone.land(DAY, {1: FULL, 2: {**FULL, "popularity": 9}, 3: LEAN}, BLOCK_LISTS)
    built_zone.build()
    check(built_zone)
    first = counts(built_zone, 1)
    assert all(first[table] for table in TABLES if table != "fact_movie_provider_change"), first
    assert not any(counts(built_zone, 3).values())
    assert built_zone.rows(
        "select release_type, release_date, certification, note from marts.bridge_movie_release"
        " where movie_id = 1 and iso_3166_1 = 'US' order by release_number"
    ) == [
        ("Premiere", dt.date(2026, 2, 28), "Unrated", "Festival"),
        ("Theatrical", dt.date(2026, 3, 20), "PG-13", "IMAX"),
        ("Theatrical", dt.date(2026, 3, 20), "PG-13", None),
        ("Digital", dt.date(2026, 5, 4), None, None),
        (None, dt.date(2027, 1, 1), "R", None),
        (None, None, None, None),
    ]
    assert built_zone.rows(
        "select movie_id, iso_3166_1, days_to_digital from analytics.vw_cinema_to_digital order by 1"
    ) == [(1, "US", 45), (2, "US", 45)]

    # neither a payload without the blocks nor TMDB's error in their place says anything of them
    built_zone.land(LATER, {1: LEAN, 2: {**LEAN, **BROKEN}, 3: LEAN}, BLOCK_LISTS)
    built_zone.build()
    assert counts(built_zone, 1) == counts(built_zone, 2) == first
    check(built_zone)

    # an empty block does; and a provider that is there no longer has left
    watch = {"results": {"US": {"flatrate": [ALPHA, BETA]}}}
    built_zone.land(LAST, {1: {**LEAN, **EMPTY}, 2: {**LEAN, "watch/providers": watch}, 3: None})
    built_zone.build()
    check(built_zone)
    left = counts(built_zone, 1)
    assert left.pop("fact_movie_provider_change") == 4 and left.pop("agg_movie_video") == 1
    assert not any(left.values())
    assert built_zone.rows(
        "select iso_3166_1, provider_name, offer_type, change_kind, compared_with"
        " from analytics.vw_provider_changes where movie_id = 2 order by 1, 2, 3"
    ) == [
        ("DE", "Beta", "ads", "left", DAY),
        ("US", "Alpha TV", "rent", "left", DAY),
        ("US", "Beta", "flatrate", "joined", DAY),
        ("US", "Beta", "rent", "left", DAY),
    ]

    # the day that had the blocks first is landed anew without them
    built_zone.land(DAY, {1: LEAN, 2: LEAN}, BLOCK_LISTS)
    built_zone.build()
    check(built_zone)
    assert built_zone.rows("select count(*) from marts.fact_movie_provider_change") == [(0,)]
    built_zone.build("full refresh")
    check(built_zone)


def test_another_language_is_no_other_film(built_zone: LandingZone) -> None:
    english = {**LEAN, "title": "Spirited Away", "overview": "A girl.", "budget": 19_000_000, "tagline": ""}
    french = {**english, "title": "Le Voyage de Chihiro", "overview": "Une fille.", "tagline": "Enfin"}
    untitled = {**french, "title": "", "original_title": "千と千尋の神隠し"}
    days = [DAY + dt.timedelta(days=n) for n in range(6)]

    def history() -> list[tuple[Any, ...]]:
        built_zone.build()
        check(built_zone)
        return built_zone.rows(
            "select valid_from, title, changed_columns from marts.dim_movie_history order by 1"
        )

    built_zone.land(days[0], {1: english})
    assert history() == [(days[0], "Spirited Away", None)]
    built_zone.land(days[1], {1: french}, language="fr-FR")
    assert history() == [(days[0], "Le Voyage de Chihiro", None)]
    # what is not translated counts in any language, and in one language all does
    built_zone.land(days[2], {1: {**english, "budget": 20_000_000}})
    assert history()[1:] == [(days[2], "Spirited Away", "budget")]
    built_zone.land(days[3], {1: {**english, "budget": 20_000_000, "overview": "A girl and a bath."}})
    assert history()[2:] == [(days[3], "Spirited Away", "overview")]
    built_zone.land(days[4], {1: {**untitled, "budget": 20_000_000}}, language="fr-FR")
    assert history()[2:] == [
        (days[3], "Spirited Away", "overview"),
        (days[4], "千と千尋の神隠し", "original_title"),
    ]
    # an answer of another day that comes late in another language changes nothing either
    built_zone.land(DAY - dt.timedelta(days=1), {1: french}, language="fr-FR")
    assert [row[0] for row in history()] == [DAY - dt.timedelta(days=1), *days[2:5]]
    built_zone.build("full refresh")
    check(built_zone)


def test_a_landing_zone_without_languages_is_read(landing_zone: LandingZone, dbt: Dbt) -> None:
    landing_zone.land(DAY, {1: LEAN})
    landing_zone.connection.execute("alter table raw.tmdb_response drop column language cascade")
    dbt("run", "--select", "+dim_movie_history")
    assert landing_zone.rows("select language from staging.stg_tmdb__movie_snapshot") == [("en-US",)]
