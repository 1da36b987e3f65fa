"""What an analyst chooses: blocks, languages, regions, filters, ids of IMDb."""

from collections import Counter
from collections.abc import Callable, Iterable
from datetime import date, timedelta
from typing import Any

import jsonschema
import pytest

from demo.server import StandIn
from demo.source import BLOCKS
from tests.demo.client import DAY, Api
from tests.demo.test_api import pages, schemas
from tests.left_out import slow_but

Film = dict[str, Any]
KINDS = ("flatrate", "rent", "buy", "ads", "free")
__all__ = ["schemas"]


@pytest.fixture(scope="module")
def films(tmdb: StandIn, get: Api) -> list[Film]:
    """The 300 most popular films that there are, with every block."""
    asked = ",".join(BLOCKS)
    there = [film_id for film_id in tmdb.ids()[:320] if tmdb.film(film_id)]
    return [get(f"/movie/{film_id}", append_to_response=asked).json() for film_id in there[:300]]


# --- blocks -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("block", list(BLOCKS))
def test_blocks_have_the_shapes_of_the_openapi_document(
    schemas: dict[str, Any], get: Api, films: list[Film], block: str
) -> None:
    # made once: to look at the schema itself takes longer than to look at a film
    shape = jsonschema.Draft202012Validator(schemas["/3/movie/{movie_id}/" + block])
    for film in films[:40]:
        body = {"id": film["id"], **film[block]}
        assert get(f"/movie/{film['id']}/{block}").json() == body
        if block == "release_dates":
            for row in body["results"]:
                for release in row["release_dates"]:
                    release.setdefault("type", None)
        shape.validate(body)


def test_a_block_of_no_film_and_no_block_of_a_film_are_404(get: Api, films: list[Film]) -> None:
    assert get("/movie/999999999/credits").json()["status_code"] == 34
    assert get(f"/movie/{films[0]['id']}/nonsense").json()["status_code"] == 34


def _releases(film: Film) -> list[tuple[str, Film]]:
    return [
        (row["iso_3166_1"], release)
        for row in film["release_dates"]["results"]
        for release in row["release_dates"]
    ]


def _most(values: Iterable[object]) -> int:
    """How often the most frequent value is there."""
    return max(Counter(values).values(), default=0)


def _said(film: Film) -> list[tuple[str, str, str]]:
    """Language, title and overview of each translation."""
    rows = film["translations"]["translations"]
    return [(row["iso_639_1"], row["data"]["title"], row["data"]["overview"]) for row in rows]


_SEEN: dict[str, Callable[[Film], bool]] = {
    "a release without a type": lambda f: any("type" not in r for _, r in _releases(f)),
    "a release whose type is null": lambda f: any(r.get("type", 0) is None for _, r in _releases(f)),
    "several releases in a country": lambda f: _most(c for c, _ in _releases(f)) > 3,
    "a type twice in a country": lambda f: _most((c, r.get("type")) for c, r in _releases(f)) > 1,
    "a certification": lambda f: any(r["certification"] for _, r in _releases(f)),
    "no certification": lambda f: any(r["certification"] == "" for _, r in _releases(f)),
    "a note": lambda f: any(r["note"] for _, r in _releases(f)),
    "no release at all": lambda f: not _releases(f),
    "no provider at all": lambda f: f["watch/providers"]["results"] == {},
    "every kind of offer": lambda f: all(
        any(kind in offers for offers in f["watch/providers"]["results"].values()) for kind in KINDS
    ),
    "a translation with an empty title": lambda f: any(not title for _, title, _ in _said(f)),
    "a translation without an overview": lambda f: any(title and not text for _, title, text in _said(f)),
    "a language in two countries": lambda f: _most(language for language, *_ in _said(f)) > 1,
    "no language but its own": lambda f: [code for code, *_ in _said(f)] == [f["original_language"]],
    "an id of Wikidata": lambda f: (f["external_ids"]["wikidata_id"] or "").startswith("Q"),
    "no id of Wikidata": lambda f: f["external_ids"]["wikidata_id"] is None,
    "the id of IMDb": lambda f: f["external_ids"]["imdb_id"] == f["imdb_id"] is not None,
    "an alternative title": lambda f: f["alternative_titles"]["titles"] != [],
    "a trailer": lambda f: any(video["type"] == "Trailer" for video in f["videos"]["results"]),
    "no video": lambda f: f["videos"]["results"] == [],
}


@pytest.mark.parametrize("oddity", _SEEN)
def test_an_oddity_of_the_blocks_stands_in_300_films(films: list[Film], oddity: str) -> None:
    assert sum(map(_SEEN[oddity], films)) >= 2


def test_all_types_of_releases_and_the_home_release_on_the_films_own_day(films: list[Film]) -> None:
    assert {release.get("type") for film in films for _, release in _releases(film)} == {
        1,
        2,
        3,
        4,
        5,
        6,
        None,
    }
    for film in films:
        if not film["release_date"] or not film.get("origin_country") or film["release_date"] == "1898-01-01":
            continue
        home = [r["release_date"][:10] for c, r in _releases(film) if c == film["origin_country"][0]]
        assert film["release_date"] in home or film["origin_country"] == ["SU"]


def test_offers_join_and_leave_from_day_to_day_and_some_countries_have_none(own: StandIn, ask: Api) -> None:
    own.use(films=300)
    film_ids = [film_id for film_id in own.ids()[:60] if own.film(film_id)]

    def offers(day: date) -> set[tuple[Any, ...]]:
        own.today = day
        return {
            (film_id, country, kind, offer["provider_id"])
            for film_id in film_ids
            for country, kinds in ask(f"/movie/{film_id}/watch/providers").json().get("results", {}).items()
            for kind, rows in kinds.items()
            if kind != "link"
            for offer in rows
        }

    first, next_day, later = offers(DAY), offers(DAY + timedelta(days=1)), offers(DAY + timedelta(days=30))
    assert 0 < len(first ^ next_day) < len(first) / 10
    assert first - later and later - first and first & later
    countries = {country for _, country, _, _ in first}
    assert {"US", "FR"} < countries and not {"CN", "IR"} & countries
    regions = {row["iso_3166_1"] for row in ask("/watch/providers/regions").json()["results"]}
    assert countries <= regions
    listed = {row["provider_id"]: row for row in ask("/watch/providers/movie").json()["results"]}
    assert {provider for *_, provider in first} <= set(listed)
    french = ask("/watch/providers/movie", watch_region="FR").json()["results"]
    assert 0 < len(french) < len(listed)


def test_certifications_are_those_of_the_list_or_unrated(get: Api, films: list[Film]) -> None:
    listed = get("/certification/movie/list").json()["certifications"]
    known = {(country, row["certification"]) for country, rows in listed.items() for row in rows}
    used = {(c, r["certification"]) for film in films for c, r in _releases(film) if r["certification"]}
    assert len(used & known) > 20
    assert {certification for _, certification in used - known} == {"Unrated"}


# --- languages ----------------------------------------------------------------------------------------------


def test_a_film_in_another_language(get: Api, films: list[Film]) -> None:
    translated = 0
    for film in films[:60]:
        texts = {row["iso_639_1"]: row["data"] for row in reversed(film["translations"]["translations"])}.get(
            "fr", {"title": "", "overview": "", "tagline": ""}
        )
        french = get(f"/movie/{film['id']}", language="fr-FR").json()
        assert french["title"] == (texts["title"] or film["original_title"])
        assert (french["overview"], french["tagline"]) == (texts["overview"], texts["tagline"])
        same = film.keys() - BLOCKS.keys() - {"title", "overview", "tagline", "genres"}
        assert {key: french[key] for key in same} == {key: film[key] for key in same}
        translated += french["overview"] != ""
        assert [genre["id"] for genre in french["genres"]] == [genre["id"] for genre in film["genres"]]
    assert 10 < translated < 50
    film = next(film for film in films if 35 in {genre["id"] for genre in film["genres"]})
    assert "Comédie" in [g["name"] for g in get(f"/movie/{film['id']}", language="fr").json()["genres"]]
    # a film's genres fall back to English, the list's do not
    assert "Comedy" in [g["name"] for g in get(f"/movie/{film['id']}", language="ca-ES").json()["genres"]]
    assert {row["name"] for row in get("/genre/movie/list", language="ca").json()["genres"]} == {None}
    assert "ドラマ" in [row["name"] for row in get("/genre/movie/list", language="ja-JP").json()["genres"]]
    assert get(f"/movie/{film['id']}", language="en-US").json() == get(f"/movie/{film['id']}").json()


def test_lists_in_another_language_and_region(tmdb: StandIn, get: Api) -> None:
    regional = 0
    for row in get("/discover/movie", language="de-DE", region="DE").json()["results"]:
        if tmdb.film(row["id"]) is None:
            continue
        film = get(f"/movie/{row['id']}", language="de-DE", append_to_response="release_dates").json()
        assert (row["title"], row["overview"]) == (film["title"], film["overview"])
        dates = [r["release_date"][:10] for c, r in _releases(film) if c == "DE"]
        assert row["release_date"] == min(dates, default=film["release_date"])
        regional += row["release_date"] != film["release_date"]
    assert regional > 2


# --- filters ------------------------------------------------------------------------------------------------


def _ids(rows: list[Film]) -> set[int]:
    return {row["id"] for row in rows}


def _offered(film: Film, country: str, *kinds: str) -> set[int]:
    offers = film["watch/providers"]["results"].get(country, {})
    return {row["provider_id"] for kind in kinds for row in offers.get(kind, [])}


def _released(film: Film, country: str) -> list[str]:
    return [release["release_date"][:10] for at, release in _releases(film) if at == country]


def _types(film: Film, country: str) -> set[int | None]:
    return {release.get("type") for at, release in _releases(film) if at == country}


def _certified(film: Film, country: str) -> set[str]:
    return {release["certification"] for at, release in _releases(film) if at == country}


_FILTERS: dict[str, Callable[[Film], bool]] = {
    "with_original_language=fr|de": lambda f: f["original_language"] in ("fr", "de"),
    "without_genres=18,35": lambda f: not {18, 35} & _ids(f["genres"]),
    "vote_average.gte=7&vote_average.lte=8": lambda f: 7 <= f["vote_average"] <= 8,
    "vote_count.gte=100&vote_count.lte=2000": lambda f: 100 <= f["vote_count"] <= 2000,
    "with_runtime.gte=90&with_runtime.lte=100": lambda f: 90 <= (f["runtime"] or 0) <= 100,
    "with_origin_country=FR|GB": lambda f: bool({"FR", "GB"} & set(f.get("origin_country", []))),
    "primary_release_year=2024": lambda f: f["release_date"].startswith("2024"),
    "primary_release_date.gte=2020-01-01": lambda f: f["release_date"] >= "2020-01-01",
    "with_companies=1|5": lambda f: bool({1, 5} & _ids(f["production_companies"])),
    "with_watch_providers=8|9&watch_region=FR": lambda f: bool({8, 9} & _offered(f, "FR", *KINDS)),
    "with_watch_providers=9&watch_region=US&with_watch_monetization_types=rent": lambda f: (
        9 in _offered(f, "US", "rent")
    ),
    "with_watch_monetization_types=free&watch_region=US": lambda f: bool(_offered(f, "US", "free")),
    "with_release_type=5|6&region=US": lambda f: bool({5, 6} & _types(f, "US")),
    "release_date.gte=2024-01-01&release_date.lte=2024-12-31&region=DE": lambda f: any(
        day.startswith("2024") for day in _released(f, "DE")
    ),
    "certification=PG-13|R&certification_country=US": lambda f: bool({"PG-13", "R"} & _certified(f, "US")),
    "certification.gte=R&certification_country=US": lambda f: bool({"R", "NC-17"} & _certified(f, "US")),
    "a_filter_of_tomorrow=x": lambda f: True,
}


@pytest.mark.parametrize("filters", slow_but(4, _FILTERS))
def test_a_filter_leaves_the_films_that_it_says(
    tmdb: StandIn, get: Api, films: list[Film], filters: str
) -> None:
    asked = dict(pair.split("=") for pair in filters.split("&"))
    rows = pages(get, sort_by="vote_count.desc", **asked)
    listed = _ids(rows)
    expected = {film["id"] for film in films if _FILTERS[filters](film)}
    assert listed & _ids(films) == expected != set()
    assert [row["vote_count"] for row in rows] == sorted((row["vote_count"] for row in rows), reverse=True)


@pytest.mark.parametrize(
    "field", ["title", "original_title", "vote_average", "revenue", "primary_release_date"]
)
def test_sorting_goes_both_ways(get: Api, field: str) -> None:
    asked: dict[str, object] = {"with_genres": "18", "vote_count__gte": 200}
    up = [row["id"] for row in pages(get, sort_by=f"{field}.asc", **asked)]
    down = [row["id"] for row in pages(get, sort_by=f"{field}.desc", **asked)]
    assert len(up) == len(set(up)) > 40
    assert set(up) == set(down) and up != down


# --- ids ----------------------------------------------------------------------------------------------------


def test_a_film_is_found_by_its_id_of_imdb(get: Api, films: list[Film]) -> None:
    film = next(film for film in films if film["imdb_id"])
    found = get(f"/find/{film['imdb_id']}", external_source="imdb_id", language="fr").json()
    (row,) = found.pop("movie_results")
    assert row["id"] == film["id"] and row["media_type"] == "movie" and "genre_ids" in row
    assert found == {
        "person_results": [],
        "tv_results": [],
        "tv_episode_results": [],
        "tv_season_results": [],
    }
    nobody = get("/find/tt0000000", external_source="imdb_id")
    assert nobody.status_code == 200 and nobody.json()["movie_results"] == []
    assert get(f"/find/{film['imdb_id']}").status_code == 422


def test_an_override_may_set_a_block_and_an_id_of_imdb(own: StandIn, ask: Api) -> None:
    film_id = own.ids()[0]
    own.override(film_id, {"imdb_id": "tt9999999", "videos": {"results": [{"id": "x"}]}})
    assert "videos" not in ask(f"/movie/{film_id}").json()
    film = ask(f"/movie/{film_id}", append_to_response="videos,keywords").json()
    assert film["videos"] == {"results": [{"id": "x"}]} and film["keywords"]["keywords"]
    found = ask("/find/tt9999999", external_source="imdb_id").json()["movie_results"]
    assert [row["id"] for row in found] == [film_id]
