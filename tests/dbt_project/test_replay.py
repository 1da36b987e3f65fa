"""Days of increments, with all that can happen to a film, arrive at what a full refresh computes, and at what
plain Python computes from the same payloads."""

import copy
import datetime as dt
import random
from typing import Any

from tests.dbt_project.conftest import LISTS, LandingZone
from tests.dbt_project.marts import assert_as_landed, everything
from tests.dbt_project.runner import Dbt

FIRST_DAY = dt.date(2026, 1, 28)
GENRES = [(18, "Drama"), (35, "Comedy"), (99, "Documentary"), (10769, "Foreign")]
COUNTRIES = [("US", "United States of America"), ("CH", "Switzerland"), ("NA", "Namibia"), ("QQ", "")]
KEYWORDS = [1, 2, 3, 4, 5]
LANGUAGES = [("en", "English", "English"), ("xx", "No Language", "No Language"), ("cn", "Cantonese", "")]


def new_film(draw: random.Random, id_: int) -> dict[str, Any]:
    """A film as TMDB might have it."""
    votes = draw.choice([0, draw.randrange(20_000)])
    return {
        "id": id_,
        "title": f"Film {id_}",
        "original_title": f"Film {id_}",
        "original_language": draw.choice(["en", "xx", "cn", "qq"]),
        "release_date": draw.choice(["", "1898-01-01", "2027-05-01"]),
        "runtime": draw.choice([0, 90, 90.0]),
        "budget": draw.choice([0, 7, 237_000_000]),
        "revenue": draw.choice([0, 999, 2_923_706_026]),
        "imdb_id": draw.choice(["", None, f"tt{id_:07}"]),
        "genres": some(draw, GENRES, lambda g: {"id": g[0], "name": g[1]}),
        "production_companies": [company(draw.randrange(1, 30), "") for _ in range(draw.randrange(3))],
        "production_countries": some(draw, COUNTRIES, lambda c: {"iso_3166_1": c[0], "name": c[1]}),
        "spoken_languages": some(
            draw, LANGUAGES, lambda v: {"iso_639_1": v[0], "english_name": v[1], "name": v[2]}
        ),
        "popularity": round(draw.uniform(0, 300), 4),
        "vote_average": round(draw.uniform(0, 10), 3) if votes else 0.0,
        "vote_count": votes,
        "belongs_to_collection": draw.choice([None, None, collection(draw.randrange(4), "")]),
        "credits": {"cast": cast(draw, id_, ""), "crew": crew(draw, id_, "")},
        "keywords": {"keywords": some(draw, KEYWORDS, lambda k: {"id": k, "name": f"keyword {k}"})},
    }


def person(id_: int, era: str) -> dict[str, Any]:
    """A person as a credit describes them; a new era gives some a new portrait."""
    return {
        "id": id_,
        "name": f"Person {id_ // 2}",
        "gender": id_ % 4,
        "known_for_department": "Acting" if id_ % 3 else None,
        "profile_path": f"/{id_}{era if id_ % 2 else ''}.jpg",
    }


def cast(draw: random.Random, film: int, era: str) -> list[dict[str, Any]]:
    """Parts, some of them by one person."""
    return [
        {
            **person(draw.randrange(40), era),
            "credit_id": f"{film}-{n}",
            "character": draw.choice(["", "Ann"]),
            "order": n,
        }
        for n in range(draw.randrange(5))
    ]


def crew(draw: random.Random, film: int, era: str) -> list[dict[str, Any]]:
    """Jobs; the director may write as well."""
    jobs = [("Directing", "Director"), ("Writing", "Screenplay"), ("Sound", "Boom Operator")]
    return [
        {
            **person(draw.randrange(40), era),
            "credit_id": f"{film}-{job}",
            "department": department,
            "job": job,
        }
        for department, job in draw.sample(jobs, draw.randrange(4))
    ]


def collection(id_: int, era: str) -> dict[str, Any]:
    return {"id": id_, "name": f"Saga {id_}{era}", "poster_path": f"/{id_}.jpg", "backdrop_path": None}


def as_asked(draw: random.Random, film: dict[str, Any]) -> dict[str, Any]:
    """The payload of a day: most have neither credits nor keywords, a few the one only."""
    left_out = draw.choice([(), ("keywords",), *[("credits", "keywords")] * 3])
    return {key: value for key, value in film.items() if key not in left_out}


def company(id_: int, era: str) -> dict[str, Any]:
    """A company; two ids share each name, and a new era gives new names."""
    return {"id": id_, "name": f"Company {id_ // 2}{era}", "logo_path": None, "origin_country": ""}


def some(draw: random.Random, values: list[Any], form: Any) -> list[Any]:
    return [form(value) for value in draw.sample(values, draw.randrange(len(values)))]


def a_day_later(draw: random.Random, film: dict[str, Any], era: str) -> dict[str, Any]:
    """The film a day on: the measures move, and now and then something else."""
    film = copy.deepcopy(film)
    film["popularity"] = round(film["popularity"] * draw.uniform(0.8, 1.2), 4)
    film["vote_count"] += draw.randrange(2) if film["vote_count"] else 0
    film["production_companies"] = [
        company(c["id"], era if c["id"] % 3 == 0 else "") for c in film["production_companies"]
    ]
    match draw.randrange(18):
        case 0:
            film["title"] += " (restored)"
        case 1:
            film["genres"] = []
        case 2:
            film["genres"] = [{"id": 18, "name": "Drama"}, {"id": 18, "name": "Drama"}]
        case 3:
            film["production_companies"] = [company(draw.randrange(1, 40), era)]
        case 4:
            film["budget"] = 0
        case 5:
            film["original_language"] = "zu"
        case 6:
            film["credits"]["cast"] = cast(draw, film["id"], era)
        case 7:
            film["credits"]["crew"] = crew(draw, film["id"], era)
        case 8:
            film["credits"] = {"cast": [], "crew": []}
        case 9:
            film["keywords"]["keywords"] = film["keywords"]["keywords"][1:]
        case 10:
            film["belongs_to_collection"] = collection(draw.randrange(4), era)
    return film


def test_increments_equal_a_full_refresh_and_the_payloads(landing_zone: LandingZone, dbt: Dbt) -> None:
    draw = random.Random(20260128)
    films = {id_: new_film(draw, id_) for id_ in range(1, 61)}
    history: dict[dt.date, dict[int, dict[str, Any] | None]] = {}
    for offset in range(8):
        era = " Pictures" if offset >= 4 else ""
        day = FIRST_DAY + dt.timedelta(days=offset)
        films = {id_: a_day_later(draw, film, era) for id_, film in films.items()}
        films[60 + offset] = new_film(draw, 60 + offset)
        history[day] = {id_: as_asked(draw, film) for id_, film in films.items()}
        for id_ in draw.sample(sorted(films), 3):
            history[day][id_] = None  # vanished; back the next day unless drawn again
        for id_ in draw.sample(sorted(films), 10):
            history[day].pop(id_)  # not among the popular that day
    days = sorted(history)
    no_longer_listed = {**LISTS, "genre_list": {"genres": LISTS["genre_list"]["genres"][:2]}}

    tables = ("run", "--select", "config.materialized:incremental")
    landing_zone.land(days[0], history[days[0]])
    dbt("run")
    assert_as_landed(landing_zone.rows, landing_zone.landed.values())

    # two days at once
    landing_zone.land(days[1], history[days[1]])
    landing_zone.land(days[4], history[days[4]])
    dbt(*tables)
    assert_as_landed(landing_zone.rows, landing_zone.landed.values())

    # late and out of order, in another month's partition
    landing_zone.land(days[3], history[days[3]])
    landing_zone.land(days[2], history[days[2]])
    landing_zone.land(dt.date(2025, 6, 1), history[days[0]])
    dbt(*tables)
    assert_as_landed(landing_zone.rows, landing_zone.landed.values())

    # a day twice, with other measures, a changed title and a film gone in between
    landing_zone.land(days[5], history[days[5]])
    dbt(*tables)
    again = {id_: film for id_, film in history[days[5]].items() if film}
    again = {id_: {**film, "title": film["title"] + "!", "popularity": 1.5} for id_, film in again.items()}
    gone = [id_ for id_, film in sorted(again.items()) if "credits" not in film][5]
    landing_zone.land(days[5], {**again, gone: None})
    landing_zone.land(days[6], history[days[6]], no_longer_listed)
    landing_zone.land(days[7], history[days[7]], no_longer_listed)
    dbt(*tables)
    assert_as_landed(landing_zone.rows, landing_zone.landed.values())

    incremental = everything(landing_zone.rows)
    dbt("run", "--full-refresh")
    assert everything(landing_zone.rows) == incremental
    assert_as_landed(landing_zone.rows, landing_zone.landed.values())
