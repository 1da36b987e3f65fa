"""A few dozen films over two days, drawn from a seed, with every case that a total can get wrong."""

import datetime as dt
import random
from typing import Any

FIRST, SECOND = dt.date(2026, 3, 1), dt.date(2026, 3, 2)
STALE = dt.date(2026, 1, 2)

GENRES = {18: "Drama", 35: "Comedy", 99: "Documentary"}
COUNTRIES = {"CH": "Switzerland", "FR": "France", "NA": "Namibia", "US": "United States of America"}
CONTINENTS = {"CH": "Europe", "FR": "Europe", "NA": "Africa", "US": "North America"}
LANGUAGES = {"en": "English", "cn": "Cantonese"}
COMPANIES = {1: "Gaumont", 2: "Pixar", 3: "Pixar"}  # two of one name


def offer(kind: str, provider_id: int, name: str) -> dict[str, Any]:
    """What TMDB says of a country where one provider has a film."""
    provider = {"provider_id": provider_id, "provider_name": name, "logo_path": None, "display_priority": 1}
    return {"link": "https://www.themoviedb.org", kind: [provider]}


def film(id_: int, day: int, draw: random.Random) -> dict[str, Any]:
    """TMDB's payload, as far as the models read it."""
    genres = draw.sample(sorted(GENRES), draw.randint(0, 3))
    countries = draw.sample(sorted(COUNTRIES), draw.randint(0, 3))
    companies = draw.sample(sorted(COMPANIES), draw.randint(0, 3))
    has_money = draw.random() < 0.5
    votes = draw.choice([0, 5, 50, 500]) + day
    return {
        "id": id_,
        "title": f"Film {id_}",
        "original_title": f"Film {id_}",
        "original_language": draw.choice(sorted(LANGUAGES)),
        "release_date": f"{draw.randint(1950, 2025)}-06-15",
        "status": "Released",
        "runtime": draw.randint(60, 200),
        "budget": draw.randint(1, 90) * 1_000_000 if has_money else 0,
        "revenue": draw.randint(1, 900) * 1_000_000 if has_money else 0,
        # on the second day some moved more than others
        "popularity": round(draw.uniform(1, 100) + day * (id_ % 5 + 1), 3),
        "vote_average": round(draw.uniform(1, 10), 1) if votes > day else 0,
        "vote_count": votes if votes > day else 0,
        "genres": [{"id": key, "name": GENRES[key]} for key in genres],
        "production_countries": [{"iso_3166_1": key, "name": COUNTRIES[key]} for key in countries],
        "production_companies": [{"id": key, "name": COMPANIES[key]} for key in companies],
        "spoken_languages": [{"iso_639_1": "en", "english_name": "English", "name": "English"}],
        # every second film is on one service in Switzerland, every third on another in France
        "watch/providers": {
            "results": {
                **({"CH": offer("flatrate", 8, "Riverbox")} if id_ % 2 == 0 else {}),
                **({"FR": offer("ads", 9, "Nimbus")} if id_ % 3 == 0 else {}),
                "NA": offer("buy", 10, "Shop"),
            }
        },
    }


def films(day: int, count: int = 40, seed: int = 1) -> dict[int, dict[str, Any]]:
    """Every film of a day (0, 1); only popularity and votes differ between days."""
    return {id_: film(id_, day, random.Random(f"{seed}/{id_}")) for id_ in range(1, count + 1)}
