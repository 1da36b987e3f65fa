"""The stand-in's answers: shapes, paging, errors, as TMDB's."""

import gzip
import json
import re
import time
from collections import Counter
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import httpx
import jsonschema
import pytest

from demo.server import StandIn
from tests.demo.client import DAY, Api

_EXAMPLE = re.compile("[A-Z]{2}(-QC)?|flatrate|rent|buy|ads|free")


@pytest.fixture(scope="module")
def schemas(shared: Path) -> dict[str, Any]:
    """TMDB's OpenAPI schema of a 200 by path: any value may be null, every key must be there."""

    def strict(schema: dict[str, Any]) -> dict[str, Any]:
        made = {key: value for key, value in schema.items() if key in ("properties", "items")}
        if "type" in schema:
            made["type"] = [schema["type"], "null"]
        if "properties" in made:
            # a film need not have every country or kind of offer that the document has an example of
            made["required"] = [name for name in made["properties"] if not _EXAMPLE.fullmatch(name)]
            made["properties"] = {name: strict(part) for name, part in made["properties"].items()}
        if "items" in made:
            made["items"] = strict(made["items"])
        return made

    paths = json.loads((shared / "tmdb" / "openapi.json").read_text())["paths"]
    return {
        path: strict(entry["get"]["responses"]["200"]["content"]["application/json"]["schema"])
        for path, entry in paths.items()
        if "get" in entry
    }


@pytest.mark.parametrize(
    ("described", "asked"),
    [
        ("/3/discover/movie", "/discover/movie"),
        ("/3/genre/movie/list", "/genre/movie/list"),
        ("/3/configuration/countries", "/configuration/countries"),
        ("/3/configuration/languages", "/configuration/languages"),
        ("/3/movie/changes", "/movie/changes"),
        ("/3/certification/movie/list", "/certification/movie/list"),
        ("/3/watch/providers/movie", "/watch/providers/movie"),
        ("/3/watch/providers/regions", "/watch/providers/regions"),
    ],
)
def test_lists_have_the_shapes_of_the_openapi_document(
    schemas: dict[str, Any], get: Api, described: str, asked: str
) -> None:
    answer = get(asked)
    assert answer.status_code == 200
    jsonschema.validate(answer.json(), schemas[described])


def test_films_have_the_shape_of_the_openapi_document(
    schemas: dict[str, Any], tmdb: StandIn, get: Api
) -> None:
    checked = 0
    film_shape, credits_shape, keywords_shape = (
        jsonschema.Draft202012Validator(schemas["/3/movie/{movie_id}" + part])
        for part in ("", "/credits", "/keywords")
    )
    for film_id in tmdb.ids()[:60]:
        film = get(f"/movie/{film_id}", append_to_response="credits,keywords").json()
        if "origin_country" not in film:
            continue  # one of the few in the shape of 2017
        film_shape.validate(film)
        keywords_shape.validate({"id": film_id, **film["keywords"]})
        if checked % 10 == 0:
            credits_shape.validate({"id": film_id, **film["credits"]})
        assert isinstance(film["softcore"], bool)
        checked += 1
    assert checked > 50


def test_the_token_is_asked_for(tmdb: StandIn) -> None:
    for headers in ({}, {"Authorization": "Bearer other"}):
        answer = httpx.get(f"{tmdb.base_url}/discover/movie", headers=headers, trust_env=False)
        assert answer.status_code == 401
        assert answer.json()["status_code"] == 7
        assert answer.json()["success"] is False


def test_a_film_that_does_not_exist_is_404_with_code_34(get: Api) -> None:
    answer = get("/movie/999999999")
    assert answer.status_code == 404
    assert answer.json() == {
        "success": False,
        "status_code": 34,
        "status_message": "The resource you requested could not be found.",
    }


def test_outside_the_api_404_is_html(tmdb: StandIn) -> None:
    answer = httpx.get(tmdb.base_url.removesuffix("/3") + "/4/movie/3", trust_env=False)
    assert (answer.status_code, answer.headers["content-type"]) == (404, "text/html")
    assert "<h1>404 Not Found</h1>" in answer.text


def test_cache_headers_are_tmdbs(get: Api, tmdb: StandIn) -> None:
    film = get(f"/movie/{tmdb.ids()[0]}")
    assert film.headers["cache-control"] == "public, max-age=28800"
    assert get("/discover/movie").headers["cache-control"] == "public, max-age=600"
    again = get.client.get(f"/movie/{tmdb.ids()[0]}", headers={"If-None-Match": film.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


def test_appended_blocks(get: Api, tmdb: StandIn) -> None:
    film_id = tmdb.ids()[5]
    plain = get(f"/movie/{film_id}").json()
    whole = get(f"/movie/{film_id}", append_to_response="keywords,credits,nonsense").json()
    assert {*whole} - {*plain} == {"credits", "keywords"}
    assert {key: whole[key] for key in plain} == plain
    assert "credits" not in get(f"/movie/{film_id}", append_to_response="keywords").json()


def test_more_than_20_appended_blocks_are_error_27(get: Api, tmdb: StandIn) -> None:
    path = f"/movie/{tmdb.ids()[0]}"
    assert get(path, append_to_response=",".join(["images"] * 20)).status_code == 200
    answer = get(path, append_to_response=",".join(["images"] * 21))
    assert (answer.status_code, answer.json()["status_code"]) == (400, 27)


@pytest.mark.parametrize("page", ["0", "501", "-1", "x", "1.5", "²"])
def test_pages_are_1_to_500(get: Api, page: str) -> None:
    answer = get("/discover/movie", page=page)
    assert (answer.status_code, answer.json()["status_code"]) == (400, 22)


def test_a_page_beyond_the_last_is_empty(get: Api) -> None:
    answer = get("/discover/movie", page=500).json()
    assert answer["results"] == []
    assert answer["page"] == 500


def pages(api: Api, **parameters: object) -> list[dict[str, Any]]:
    """All rows of a discover query."""
    first = api("/discover/movie", **parameters).json()
    rows = list(first["results"])
    for page in range(2, first["total_pages"] + 1):
        rows += api("/discover/movie", page=page, **parameters).json()["results"]
    return rows


def test_discover_repeats_and_misses_about_one_row_of_a_hundred(get: Api, tmdb: StandIn) -> None:
    rows = pages(get)
    ids = [row["id"] for row in rows]
    repeated = len(ids) - len(set(ids))
    assert 0.003 * len(ids) < repeated < 0.02 * len(ids)
    assert len(set(tmdb.ids()) - set(ids)) == repeated
    assert pages(get) == rows


def test_discover_without_repeats_lists_every_film_once_by_popularity(own: StandIn, ask: Api) -> None:
    own.repeats = 0
    rows = pages(ask)
    assert [row["id"] for row in rows] == own.ids()
    assert [row["popularity"] for row in rows] == sorted((row["popularity"] for row in rows), reverse=True)
    assert not any(row["adult"] or row["video"] for row in rows)


def test_list_rows_agree_with_the_films(own: StandIn, ask: Api) -> None:
    rows = ask("/discover/movie").json()["results"]
    films = [(row, own.film(row["id"])) for row in rows]
    # lists know a few films that are gone
    assert len(rows) == 20 and sum(film is None for _, film in films) < 5
    for row, film in films:
        if film is None:
            continue
        assert row.pop("genre_ids") == [genre["id"] for genre in film["genres"]]
        assert row == {key: film[key] for key in row}


def test_total_pages_is_not_capped() -> None:
    with StandIn(films=12_000, today=DAY) as big:
        api = Api(big)
        with api.client:
            last = api("/discover/movie", page=500).json()
            assert last["total_pages"] > 500
            assert len(last["results"]) == 20
            assert api("/discover/movie", page=501).status_code == 400
            assert len(big.ids()) == 10_000
            start = api("/discover/movie", primary_release_date__gte="2020-01-01").json()["total_results"]
            end = api("/discover/movie", primary_release_date__lte="2019-12-31").json()["total_results"]
            undated = last["total_results"] - start - end
            assert 0 < undated < 300


def test_filters(tmdb: StandIn, get: Api) -> None:
    films = [film for film in map(tmdb.film, tmdb.ids()) if film]

    def found(**parameters: object) -> set[int]:
        gone = {row["id"] for row in pages(get, sort_by="vote_count.desc", **parameters)}
        return {film_id for film_id in gone if tmdb.film(film_id)}

    def films_with(wanted: Any) -> set[int]:
        return {film["id"] for film in films if wanted(film)}

    def genres(film: dict[str, Any]) -> set[int]:
        return {genre["id"] for genre in film["genres"]}

    assert found(with_original_language="ja") == films_with(lambda film: film["original_language"] == "ja")
    drama_or_war_and_comedy = found(with_genres="18|10752,35")
    assert drama_or_war_and_comedy == films_with(
        lambda film: genres(film) & {18, 10752} and 35 in genres(film)
    )
    assert len(drama_or_war_and_comedy) > 20
    between = found(primary_release_date__gte="2015-01-01", primary_release_date__lte="2015-12-31")
    assert between == films_with(lambda film: film["release_date"].startswith("2015"))
    assert found(vote_count__gte=5000) == films_with(lambda film: film["vote_count"] >= 5000)
    for name in ("with_runtime.gte", "vote_count.lte", "vote_average.gte"):
        assert get("/discover/movie", **{name: "many"}).status_code == 422
    assert get("/discover/movie", sort_by="fame").status_code == 422
    assert get("/discover/movie", primary_release_date__gte="2015-13-01").json()["status_code"] == 23


def test_sorting_by_date(get: Api) -> None:
    rows = pages(get, sort_by="primary_release_date.desc", primary_release_date__lte="2000-01-01")
    dates = [row["release_date"] for row in rows if row["release_date"] != "1898-01-01"]
    assert dates == sorted(dates, reverse=True)
    assert len({row["id"] for row in rows}) == len(rows)


def test_adult_films_only_when_asked_for(get: Api) -> None:
    adults = [row for row in pages(get, include_adult="true", sort_by="vote_count.asc") if row["adult"]]
    assert adults


# --- changes ------------------------------------------------------------------------------------------------


def test_changes_name_the_films_that_changed(own: StandIn, ask: Api) -> None:
    own.use(films=2000)
    listed = ask("/movie/changes", start_date="2026-07-14", end_date="2026-07-15").json()["results"]
    changed = {row["id"] for row in listed}
    before, after = date(2026, 7, 13), DAY
    measures = {"popularity", "vote_average", "vote_count"}
    differing = 0
    for film_id in own.ids(before):
        old, new = own.film(film_id, before), own.film(film_id, after)
        if old is None:
            continue
        if new is None or any(old[key] != new[key] for key in {*old} - measures - {"production_companies"}):
            differing += 1
            assert film_id in changed
    assert differing > 10
    assert 0.005 * 2000 < len(changed) < 0.05 * 2000


def test_changes_tell_nothing_of_a_vanished_film_but_its_id(own: StandIn, ask: Api) -> None:
    own.use(films=2000)
    rows = ask("/movie/changes", start_date="2026-07-01", end_date="2026-07-15").json()
    unknown = [row for row in rows["results"] if row["adult"] is None]
    assert unknown
    for row in unknown:
        assert row["softcore"] is None
        assert ask(f"/movie/{row['id']}").status_code == 404


def test_changes_come_100_a_page(own: StandIn, ask: Api) -> None:
    own.use(films=2000)
    rows: list[int] = []
    first = ask("/movie/changes", start_date="2026-07-01", end_date="2026-07-15").json()
    for page in range(1, first["total_pages"] + 1):
        answer = ask("/movie/changes", start_date="2026-07-01", end_date="2026-07-15", page=page).json()
        assert len(answer["results"]) == min(100, first["total_results"] - 100 * (page - 1))
        rows += [row["id"] for row in answer["results"]]
    assert first["total_pages"] > 2
    assert len(rows) == len(set(rows)) == first["total_results"]


@pytest.mark.parametrize(
    ("start", "end", "status", "code"),
    [
        ("2026-07-01", "2026-07-16", 422, 20),
        ("2026-07-05", "2026-07-01", 422, 20),
        ("yesterday", "2026-07-01", 400, 23),
        ("2026-02-30", "2026-07-01", 400, 23),
    ],
)
def test_changes_of_wrong_dates(get: Api, start: str, end: str, status: int, code: int) -> None:
    answer = get("/movie/changes", start_date=start, end_date=end)
    assert (answer.status_code, answer.json()["status_code"]) == (status, code)


# --- export -------------------------------------------------------------------------------------------------


def _export(stand_in: StandIn, day: date) -> httpx.Response:
    return httpx.get(f"{stand_in.export_url}/movie_ids_{day:%m_%d_%Y}.json.gz", trust_env=False)


def test_the_export_lists_every_film_once_without_a_token(tmdb: StandIn) -> None:
    lines = gzip.decompress(_export(tmdb, DAY).content).decode().splitlines()
    rows = [json.loads(line) for line in lines]
    ids = {row["id"] for row in rows}
    assert len(rows) == len(ids)
    assert 1990 <= len(rows) <= 2000
    assert all([*row] == ["adult", "id", "original_title", "popularity", "video"] for row in rows)
    for row in rows:
        film = tmdb.film(row["id"]) or {}
        quirk_free = {key: row[key] for key in ("adult", "id", "original_title", "video")}
        assert quirk_free == {key: film[key] for key in quirk_free}
        assert int(row["popularity"]) == int(film["popularity"])
    listed_and_there = {film_id for film_id in tmdb.ids() if tmdb.film(film_id)}
    assert listed_and_there <= ids


def test_exports_are_kept_for_90_days(tmdb: StandIn) -> None:
    assert _export(tmdb, DAY - timedelta(days=89)).status_code == 200
    assert _export(tmdb, DAY - timedelta(days=90)).status_code == 403
    assert _export(tmdb, DAY + timedelta(days=1)).status_code == 403
    assert httpx.get(f"{tmdb.export_url}/movie_ids_13_45_2026.json.gz", trust_env=False).status_code == 403


# --- controls -----------------------------------------------------------------------------------------------


def test_the_day_moves_for_the_whole_run(own: StandIn, ask: Api) -> None:
    film_id = own.ids()[0]
    before = ask(f"/movie/{film_id}").json()
    own.today = DAY + timedelta(days=1)
    assert ask(f"/movie/{film_id}").json()["popularity"] != before["popularity"]
    own.today = DAY
    assert ask(f"/movie/{film_id}").json() == before
    with pytest.raises(ValueError, match="not for 1999-01-01"):
        own.today = date(1999, 1, 1)


def test_films_can_be_altered_added_and_deleted(own: StandIn, ask: Api) -> None:
    own.repeats = 0
    first, second, third, *_ = own.ids()
    own.override(first, {"genres": [], "popularity": 0.5})
    own.override(second, lambda film, day: film.update(title=f"{film['id']} on {day}"))
    own.override(third, b'{"id": %d, "raw": true}' % third, since=DAY + timedelta(days=1))
    own.override(99_000_001, {"title": "New", "popularity": 1e6, "genres": [{"id": 18, "name": "Drama"}]})

    assert ask(f"/movie/{first}").json()["genres"] == []
    assert ask(f"/movie/{second}").json()["title"] == f"{second} on 2026-07-15"
    assert "raw" not in ask(f"/movie/{third}").json()
    assert ask("/movie/99000001", append_to_response="credits").json()["credits"] == {"cast": [], "crew": []}
    listed = [row["id"] for row in pages(ask)]
    assert listed[:2] == [99_000_001, second]
    assert listed.index(first) > 50
    assert {99_000_001} < {row["id"] for row in pages(ask, with_genres=18)}

    own.delete(second, since=DAY + timedelta(days=1))
    own.delete(first, listed=True)
    assert ask(f"/movie/{first}").status_code == 404
    assert ask(f"/movie/{second}").status_code == 200
    own.today = DAY + timedelta(days=1)
    assert ask(f"/movie/{second}").status_code == 404
    assert ask(f"/movie/{third}").content == b'{"id": %d, "raw": true}' % third
    listed = [row["id"] for row in pages(ask)]
    assert second not in listed
    assert first in listed
    changes = ask("/movie/changes").json()["results"]
    assert {"id": second, "adult": None, "softcore": None} in changes
    assert third in {row["id"] for row in changes}
    exported = gzip.decompress(_export(own, own.today).content).decode()
    assert re.search(r'"id":99000001\b', exported)
    assert not re.search(rf'"id":{second}\b', exported)

    own.restore()
    own.today = DAY
    assert own.ids()[:3] == [first, second, third]
    assert ask(f"/movie/{first}").json()["genres"] != []


def test_the_traffic_is_counted(own: StandIn, ask: Api) -> None:
    ask("/discover/movie")
    ask("/movie/3")
    ask("/movie/3")
    assert own.traffic.total == 3
    assert own.traffic.count("/3/movie/3") == 2
    assert own.traffic.count("/3/discover/") == 1
    assert (own.traffic.open_connections, own.traffic.peak_connections) == (1, 1)
    assert own.traffic.highest_rate() == 3
    own.traffic.reset()
    assert (own.traffic.total, own.traffic.peak_connections) == (0, 1)
    ask.client.close()
    for _ in range(100):
        if own.traffic.open_connections == 0:
            break
        time.sleep(0.02)
    assert own.traffic.open_connections == 0


def test_too_many_requests_in_a_second_are_429(own: StandIn, ask: Api) -> None:
    own.max_rps = 5
    statuses = Counter(ask("/configuration/languages").status_code for _ in range(12))
    assert statuses[200] == 5
    assert statuses[429] == 7
    assert own.traffic.limited == 7
    refused = ask("/configuration/languages")
    assert refused.json()["status_code"] == 25
    assert refused.headers["retry-after"] == "1"


def test_a_stopped_stand_in_comes_back_at_the_same_address(own: StandIn, ask: Api) -> None:
    own.stop()
    with pytest.raises(httpx.ConnectError):
        ask("/genre/movie/list")
    own.start()
    assert ask("/genre/movie/list").status_code == 200
