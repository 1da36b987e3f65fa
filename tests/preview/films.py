"""Forty films over three days, some with titles that would break a careless page."""

import datetime as dt
import random
from typing import Any

DAYS = tuple(dt.date(2026, 1, day) for day in (1, 2, 3))
HOSTILE = (
    '</script><img src="x" onerror="document.body.dataset.broken = 1">',
    "<!--<script>document.body.dataset.broken = 1</script>",
    '"><svg onload="document.body.dataset.broken = 1"> & "quotes" \'too\'',
    "$notice ${data} {{ 7 * 7 }} \\u003c \u2028 %s",
    "[[javascript]](javascript:alert(1)) ![x](https://example.com/x.png)",
)
"""Titles of the most popular films, best first."""

GENRES = [
    {"id": 18, "name": "Drama"},
    {"id": 35, "name": "Comedy <b>&amp;</b>"},
    {"id": 99, "name": "Documentary"},
]
COUNTRIES = [
    {"iso_3166_1": "US", "english_name": "United States of America", "native_name": "United States"},
    {"iso_3166_1": "FR", "english_name": "France", "native_name": "France"},
    # too small for the map's shapes
    {"iso_3166_1": "HK", "english_name": "Hong Kong", "native_name": "Hong Kong"},
]
LANGUAGES = [
    {"iso_639_1": "en", "english_name": "English", "name": "English"},
    {"iso_639_1": "fr", "english_name": "French", "name": "Français"},
]
LISTS = {"genre_list": {"genres": GENRES}, "country_list": COUNTRIES, "language_list": LANGUAGES}


def films(day: dt.date) -> dict[int, dict[str, Any]]:
    """The films of a day by id: 38 on the first, 40 on the others; their measures move, nothing else."""
    return {id_: _film(id_, DAYS.index(day)) for id_ in range(1, 39 if day == DAYS[0] else 41)}


def _film(id_: int, age: int) -> dict[str, Any]:
    draw = random.Random(id_)
    hostile = id_ <= len(HOSTILE)
    genres = draw.sample(GENRES, draw.randint(1, 3))
    return {
        "id": id_,
        "title": HOSTILE[id_ - 1] if hostile else f"Film {id_}",
        "original_title": f"Film {id_}",
        "original_language": draw.choice(["en", "fr"]),
        "overview": HOSTILE[0],
        "release_date": f"{draw.randint(1975, 2025)}-0{draw.randint(1, 9)}-15",
        "status": "Released",
        "runtime": 90,
        "budget": draw.randint(1, 90) * 1_000_000,
        "revenue": draw.randint(1, 400) * 1_000_000,
        "popularity": round((900 - 20 * id_ if hostile else draw.uniform(1, 300)) * (1 + 0.01 * age), 3),
        "vote_average": round(draw.uniform(4, 9), 3),
        "vote_count": draw.randint(1, 3000) + age,
        "genres": genres,
        "production_companies": [
            # two companies of one name
            {"id": number, "name": f"Company {min(number, 2)}", "origin_country": "US"}
            for number in draw.sample([1, 2, 3], draw.randint(1, 2))
        ],
        "production_countries": [
            {"iso_3166_1": country["iso_3166_1"], "name": country["english_name"]}
            for country in draw.sample(COUNTRIES, draw.randint(1, 2))
        ],
        "spoken_languages": [{"iso_639_1": "en", "english_name": "English", "name": "English"}],
        "credits": {"cast": [], "crew": []},
        "keywords": {"keywords": []},
    }
