"""The synthetic catalogue: repeatable, plausible, and as odd as TMDB's films were measured to be."""

import json
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Callable
from datetime import date, timedelta
from itertools import pairwise
from pathlib import Path
from statistics import correlation
from typing import Any

import orjson
import pytest

from demo import reference
from demo.catalogue import Catalogue
from demo.films import Outline
from demo.quirks import QUIRKS
from demo.slots import FIELDS, MAX_SLOTS, PERIOD, RECENT, Slots, edit_phase_of
from demo.source import Query

DAY = date(2026, 7, 15).toordinal()
Film = dict[str, Any]


def films_of(catalogue: Catalogue, day: int) -> dict[int, Film]:
    """Every film of the day, by id."""
    return {row["id"]: catalogue.film(row["id"], day) or {} for row in catalogue.export(day)}


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return Catalogue("tmdb", 2000)


@pytest.fixture(scope="module")
def days(catalogue: Catalogue) -> list[dict[int, Film]]:
    """All films on four days in a row."""
    return [films_of(catalogue, DAY + after) for after in range(4)]


# --- repeatable ---------------------------------------------------------------------------------------------


def test_the_same_seed_gives_the_same_films_in_any_order_and_number(days: list[dict[int, Film]]) -> None:
    small = Catalogue("tmdb", 300)
    ids = [row["id"] for row in small.export(DAY + 2)]
    for film_id in reversed(ids):
        assert small.film(film_id, DAY + 2) == days[2][film_id]
    assert small.film(ids[7], DAY) == days[0].get(ids[7])
    assert small.block("credits", ids[0], DAY) == Catalogue("tmdb", 1).block("credits", ids[0], DAY)


def test_another_seed_gives_other_films() -> None:
    titles = [{film["title"] for film in films_of(Catalogue(seed, 100), DAY).values()} for seed in ("a", "b")]
    assert len(titles[0] & titles[1]) < 10


@pytest.mark.parametrize("count", [1, 2, 1025])
def test_any_number_of_films(count: int) -> None:
    catalogue = Catalogue("tmdb", count)
    assert len(films_of(catalogue, DAY)) >= count - 2
    assert catalogue.ranking(Query(include_adult=True, include_video=True), DAY).total == count


@pytest.mark.parametrize("count", [0, MAX_SLOTS + 1])
def test_not_fewer_than_one_film_or_more_than_a_million(count: int) -> None:
    with pytest.raises(ValueError, match="1 to 1,000,000 films"):
        Catalogue("tmdb", count)


def test_a_film_of_the_last_million_costs_one_block_of_slots() -> None:
    slots = Slots("tmdb", MAX_SLOTS)
    film_id = slots.film_id(999_999, 0)
    assert slots.place(film_id) == (999_999, 0)
    assert sum(slots._drawn) == 1


def test_ids_are_sparse_and_lead_back_to_their_slot() -> None:
    slots = Slots("tmdb", 3000)
    ids = [slots.film_id(slot, 0) for slot in range(3000)]
    assert ids == sorted(set(ids))
    assert [slots.place(film_id) for film_id in ids] == [(slot, 0) for slot in range(3000)]
    assert 0.7 < 3000 / ids[-1] < 0.8
    assert sum(slots.place(film_id) is None for film_id in range(ids[-1])) == ids[-1] - 2999


def test_the_ten_thousand_most_popular_are_those_of_all() -> None:
    catalogue = Catalogue("tmdb", 30_000)
    found = catalogue.ranking(Query(include_adult=True, include_video=True), DAY)
    slots = catalogue.slots
    every = sorted(range(30_000), key=lambda slot: slots.popularity(slot, DAY), reverse=True)
    placed = [slots.place(film_id) for film_id in found.ids]
    assert [place[0] for place in placed if place] == every[:10_000]
    assert found.total == 30_000


# --- day by day ---------------------------------------------------------------------------------------------


def test_measures_move_as_often_as_measured(days: list[dict[int, Film]]) -> None:
    moved: Counter[str] = Counter()
    pairs = 0
    for old, new in pairwise(days):
        for film_id in old.keys() & new.keys():
            pairs += 1
            a, b = old[film_id], new[film_id]
            assert b["vote_count"] >= a["vote_count"]
            differing = {key for key in a.keys() | b.keys() if a.get(key) != b.get(key)}
            moved.update(differing & {"popularity", "vote_count", "vote_average"})
            moved["other"] += bool(differing - {"popularity", "vote_count", "vote_average"})
            if "vote_average" in differing:
                assert "vote_count" in differing
    assert moved["popularity"] / pairs > 0.99
    assert 0.45 < moved["vote_count"] / pairs < 0.60
    assert 0.25 < moved["vote_average"] / pairs < 0.35
    assert 0.005 < moved["other"] / pairs < 0.02


def test_popularity_rises_to_the_release_and_decays_after(catalogue: Catalogue) -> None:
    slots = catalogue.slots
    before, at, after, later = [], [], [], []
    for slot in range(2000):
        if slots.flags[slot] & RECENT:
            release = slots.release_day(slot, DAY)
            if release + 300 < slots.announced(slot, DAY) + PERIOD:
                curve = [slots.popularity(slot, release + age) for age in (-12, 0, 60, 250)]
                for values, value in zip((before, at, after, later), curve, strict=True):
                    values.append(value)
    assert len(at) > 300
    share_rising = sum(a < b for a, b in zip(before, at, strict=True)) / len(at)
    share_falling = sum(a > b > c for a, b, c in zip(at, after, later, strict=True)) / len(at)
    assert share_rising > 0.9
    assert share_falling > 0.9


def test_popularity_keeps_its_order_from_day_to_day(days: list[dict[int, Film]]) -> None:
    common = sorted(days[0].keys() & days[1].keys())
    assert correlation(*([day[i]["popularity"] for i in common] for day in days[:2])) > 0.98
    values = sorted((film["popularity"] for film in days[0].values()), reverse=True)
    assert values[0] > 100 > 10 * values[len(values) // 2]


def test_films_come_and_go(catalogue: Catalogue) -> None:
    slots = catalogue.slots
    days = range(DAY, DAY + 30)
    turned = [(slot, day) for slot in range(2000) for day in days if slots.announced(slot, day) == day]
    turned = [(slot, day) for slot, day in turned if slots.flags[slot] & RECENT]
    assert 3 < len(turned) < 30
    for slot, day in turned:
        old = slots.film_id(slot, slots.generation(slot, day - 1))
        new = slots.film_id(slot, slots.generation(slot, day))
        assert old != new
        if catalogue.film(old, day - 1) is None:
            continue  # a film that lists know but that was never there
        assert catalogue.film(old, day) is None
        assert catalogue.film(new, day - 1) is None
        assert (catalogue.film(new, day) or {})["status"] != "Released"
        # the list is a day late
        listed = catalogue.ranking(Query(include_adult=True, include_video=True), day).ids
        assert old in listed
        assert new not in listed


def test_some_films_are_entered_twice_until_they_are_merged(days: list[dict[int, Film]]) -> None:
    entries = defaultdict(list)
    for film_id, film in days[0].items():
        if film["imdb_id"]:
            entries[film["imdb_id"], film["original_title"]].append(film_id)
    assert any(len(ids) > 1 for ids in entries.values())


def test_edits_touch_every_field_and_are_listed_on_their_day(catalogue: Catalogue) -> None:
    slots = catalogue.slots
    slots.ready_all()
    edited: Counter[str] = Counter()
    for slot in range(500):
        for day in range(DAY, DAY + 100):
            old, new = (slots.versions(slot, at) for at in (day - 1, day))
            touched = [field for field in FIELDS if old[field] != new[field]]
            assert len(touched) == (edit_phase_of(day) == slots.edit_phase[slot])
            edited.update(touched)
    assert edited.keys() == set(FIELDS)


def test_a_company_is_renamed_now_and_then(catalogue: Catalogue) -> None:
    names: dict[int, set[str]] = defaultdict(set)
    for slot in range(0, 2000, 2):
        for day in range(DAY, DAY + 300, 100):
            for company in catalogue.films.film(Outline(catalogue.slots, slot, day))["production_companies"]:
                names[company["id"]].add(company["name"])
    renamed = sum(len(of_one) > 1 for of_one in names.values())
    assert 0.01 < renamed / len(names) < 0.12


# --- odd ----------------------------------------------------------------------------------------------------


def _any_text(film: Film, test: Callable[[str], bool]) -> bool:
    return any(test(film[key]) for key in ("title", "original_title", "overview", "tagline"))


def _not_nfc(text: str) -> bool:
    return not unicodedata.is_normalized("NFC", text)


_LISTED_LANGUAGES = {row["iso_639_1"] for row in reference.LANGUAGES}
_SEEN: dict[str, Callable[[Film], bool]] = {
    "a genre twice": lambda f: len({g["id"] for g in f["genres"]}) < len(f["genres"]),
    "a genre that is no more": lambda f: 10769 in {g["id"] for g in f["genres"]},
    "no genre": lambda f: f["genres"] == [],
    "9 genres, 26 countries, 11 languages, 32 companies": lambda f: (
        tuple(
            len(f[k]) for k in ("genres", "production_countries", "spoken_languages", "production_companies")
        )
        == (9, 26, 11, 32)
    ),
    "a country that is in no list": lambda f: bool(
        {c["iso_3166_1"] for c in f["production_countries"]} - reference.COUNTRY_NAMES.keys()
    ),
    "a country that is no more": lambda f: bool(
        {"SU", "XC", "YU", "XG"} & {c["iso_3166_1"] for c in f["production_countries"]}
    ),
    "no language": lambda f: f["original_language"] == "xx",
    "Cantonese as cn": lambda f: f["original_language"] == "cn",
    "a language that is in no list": lambda f: f["original_language"] not in _LISTED_LANGUAGES,
    "a language without a name": lambda f: any(row["name"] == "" for row in f["spoken_languages"]),
    "a company without a country": lambda f: any(
        c.get("origin_country") == "" for c in f["production_companies"]
    ),
    "a company without a logo": lambda f: any(
        c.get("logo_path", 0) is None for c in f["production_companies"]
    ),
    "revenue beyond 32 bits": lambda f: f["revenue"] > 2**31 - 1,
    "a budget of 1 to 999": lambda f: 0 < f["budget"] < 1000,
    "a revenue of 1 to 999": lambda f: 0 < f["revenue"] < 1000,
    "budget 0": lambda f: f["budget"] == 0,
    "runtime 0": lambda f: f["runtime"] == 0,
    "runtime null": lambda f: f["runtime"] is None,
    "runtime of a day": lambda f: (f["runtime"] or 0) > 900,
    "homepage empty": lambda f: f["homepage"] == "",
    "homepage null": lambda f: f["homepage"] is None,
    "imdb_id empty": lambda f: f["imdb_id"] == "",
    "imdb_id null": lambda f: f["imdb_id"] is None,
    "no release date": lambda f: f["release_date"] == "",
    "a release date to come": lambda f: f["release_date"] > date.fromordinal(DAY).isoformat(),
    "the oldest release date": lambda f: f["release_date"] == "1898-01-01",
    "no overview": lambda f: f["overview"] == "",
    "no tagline": lambda f: f["tagline"] == "",
    "no poster": lambda f: f["poster_path"] is None,
    "no collection": lambda f: f["belongs_to_collection"] is None,
    "a collection": lambda f: f["belongs_to_collection"] is not None,
    "no votes": lambda f: f["vote_count"] == 0 and f["vote_average"] == 0,
    "a whole vote average as int": lambda f: type(f["vote_average"]) is int,
    "a whole vote average as float": lambda f: (
        type(f["vote_average"]) is float and f["vote_average"] == int(f["vote_average"])
    ),
    "a popularity as int": lambda f: type(f["popularity"]) is int,
    "an unknown key": lambda f: "content_advisory" in f,
    "the newest key": lambda f: "softcore" in f,
    "keys that are missing": lambda f: "softcore" not in f and "origin_country" not in f,
    "text that is not NFC": lambda f: _any_text(f, _not_nfc),
    "a line feed": lambda f: "\n" in f["overview"],
    "a DEL": lambda f: "\x7f" in f["overview"],
    "a zero-width space": lambda f: "\u200b" in f["overview"],
    "a no-break space": lambda f: "\u00a0" in f["overview"],
    "outer spaces": lambda f: _any_text(f, lambda text: text != text.strip(" ")),
    "HTML entities": lambda f: "&amp;" in f["overview"],
    "the longest overview": lambda f: len(f["overview"]) == 1000,
    "the longest title": lambda f: len(f["title"]) == 113,
    "a title that falls back to the original": lambda f: (
        f["original_language"] == "ja" and f["title"] == f["original_title"]
    ),
    "a title in another script": lambda f: (
        f["original_language"] == "ru" and not f["original_title"].isascii()
    ),
    "adult": lambda f: f["adult"] is True,
    "video": lambda f: f["video"] is True,
}


@pytest.mark.parametrize("oddity", _SEEN)
def test_an_oddity_stands_in_2000_films_more_than_once(days: list[dict[int, Film]], oddity: str) -> None:
    assert sum(map(_SEEN[oddity], days[0].values())) >= 2


def test_one_film_has_a_nul(days: list[dict[int, Film]]) -> None:
    assert sum("\0" in film["overview"] for film in days[0].values()) == 1


@pytest.mark.parametrize("quirk", [quirk.name for quirk in QUIRKS])
def test_each_quirk_is_planted_among_the_first_200_films(catalogue: Catalogue, quirk: str) -> None:
    planted = catalogue.films.quirks.planted(quirk)
    assert planted[0] < 200
    assert len(planted) == (1 if quirk == "nul" else 3)


def test_rare_quirks_keep_their_measured_rate_beyond_the_planted_ones(catalogue: Catalogue) -> None:
    of = catalogue.films.quirks.of
    counted = Counter(quirk.name for slot in range(2000, 42_000) for quirk in of(slot))
    for quirk in QUIRKS:
        expected = quirk.rate * 40_000
        assert abs(counted[quirk.name] - expected) < 5 * max(expected, 1) ** 0.5


def test_companies_share_names(days: list[dict[int, Film]]) -> None:
    ids = defaultdict(set)
    films: Counter[int] = Counter()
    for film in days[0].values():
        for company in film["production_companies"]:
            ids[company["name"]].add(company["id"])
            films[company["id"]] += 1
    shared = sum(len(of_one) > 1 for of_one in ids.values())
    assert 0.002 < shared / len(films) < 0.03
    # a long tail: the biggest is in many films, most are in one or two
    assert films.most_common(1)[0][1] > 80
    assert sum(count <= 2 for count in films.values()) > len(films) / 2


def test_lists_give_a_few_ids_that_are_404(catalogue: Catalogue) -> None:
    listed = catalogue.ranking(Query(), DAY).ids
    gone = [film_id for film_id in listed if catalogue.film(film_id, DAY) is None]
    assert 1 <= len(gone) <= 6
    assert all(catalogue.listed(film_id, DAY)["id"] == film_id for film_id in gone)


def test_genres_and_codes_are_tmdbs_but_for_the_quirks(days: list[dict[int, Film]]) -> None:
    names = {**reference.GENRE_NAMES, 10769: "Foreign"}
    for film in days[0].values():
        assert all(names[genre["id"]] == genre["name"] for genre in film["genres"])
        for row in film["production_countries"]:
            assert row["name"] == {**reference.COUNTRY_NAMES, "XX": ""}[row["iso_3166_1"]]
    languages = Counter(film["original_language"] for film in days[0].values())
    assert languages["en"] / 2000 > 0.4
    assert len(languages) > 25


# --- blocks -------------------------------------------------------------------------------------------------


def test_credits(catalogue: Catalogue) -> None:
    credit_ids: list[str] = []
    several_jobs = 0
    people: Counter[int] = Counter()
    sizes, bases = [], []
    for film_id in catalogue.ranking(Query(), DAY).ids[:300]:
        if catalogue.film(film_id, DAY) is None:
            continue
        body = catalogue.block("credits", film_id, DAY)
        sizes.append(len(body))
        bases.append(len(catalogue.body(film_id, DAY) or b""))
        block = orjson.loads(body)
        credit_ids += [row["credit_id"] for row in block["cast"] + block["crew"]]
        assert [row["order"] for row in block["cast"]] == list(range(len(block["cast"])))
        crew = Counter(row["id"] for row in block["crew"])
        several_jobs += any(count > 1 for count in crew.values())
        people.update({row["id"] for row in block["cast"]})
    assert len(credit_ids) == len(set(credit_ids)) > 10_000
    assert all(len(credit_id) == 24 and int(credit_id, 16) for credit_id in credit_ids)
    assert several_jobs > 60
    assert people.most_common(1)[0][1] > 5
    assert 5 < sum(sizes) / sum(bases) < 30


def test_the_lookups_are_tmdbs(shared: Path) -> None:
    facts = json.loads((shared / "tmdb" / "reference.json").read_text())
    assert facts["genres"] == reference.GENRES
    assert sorted(reference.COUNTRIES, key=str) == sorted(facts["countries"], key=str)
    assert sorted(reference.LANGUAGES, key=str) == sorted(facts["languages"], key=str)


def test_two_days_apart_is_computed_directly(days: list[dict[int, Film]]) -> None:
    far = Catalogue("tmdb", 50)
    start = date(2008, 2, 29)
    for jump in (0, 4000, 9000, 20_000):
        day = (start + timedelta(days=jump)).toordinal()
        films = films_of(far, day)
        assert 48 <= len(films) <= 50
        assert films_of(Catalogue("tmdb", 50), day) == films
