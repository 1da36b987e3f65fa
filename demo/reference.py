"""TMDB's lists: genres, countries, languages, certifications, providers, read from reference.toml beside this
file. The providers are invented, all else is as TMDB has it.
"""

import tomllib
from pathlib import Path
from typing import Any, Final, NamedTuple

Row = dict[str, Any]

_TABLES: Final[dict[str, Any]] = tomllib.loads(
    Path(__file__).with_name("reference.toml").read_text(encoding="utf-8")
)


def _rows(packed: str) -> list[tuple[str, str, str | None]]:
    """Code, name and, after a bar, a second name."""
    rows = []
    for item in packed.replace("\n", " ").strip().strip(";").split("; "):
        code, names = item.split(" ", 1)
        first, bar, second = names.partition("|")
        rows.append((code, first, second if bar else None))
    return rows


def _names(packed: str) -> list[str]:
    return packed.replace("\n", "").split("|")


COUNTRIES: Final[list[Row]] = [
    {"iso_3166_1": code, "english_name": name, "native_name": name if native is None else native}
    for code, name, native in _rows(_TABLES["countries"])
]
LANGUAGES: Final[list[Row]] = [
    {"iso_639_1": code, "english_name": name.replace(" ;", "; "), "name": own or ""}
    for code, name, own in _rows(_TABLES["languages"])
]
_GENRE_IDS: Final[list[int]] = _TABLES["genres"].pop("ids")
#: Names of the genres by language and id.
GENRE_NAMES_IN: Final[dict[str, dict[int, str]]] = {
    language: dict(zip(_GENRE_IDS, _names(packed), strict=True))
    for language, packed in _TABLES["genres"].items()
}
GENRE_NAMES: Final = GENRE_NAMES_IN["en"]
GENRES: Final[list[Row]] = [{"id": genre_id, "name": name} for genre_id, name in GENRE_NAMES.items()]
#: Dropped from the list between 2017 and 2018; films still carry it.
DROPPED_GENRE: Final[Row] = {"id": 10769, "name": "Foreign"}

#: A country's certifications, the mildest first.
CERTIFICATIONS: Final[dict[str, list[str]]] = {
    country: _names(packed) for country, packed in _TABLES["certifications"].items()
}

#: Countries where films are released, the biggest markets first.
MARKETS: Final[list[str]] = _TABLES["markets"].split()
#: Languages, with their countries, that films are translated into.
TRANSLATED: Final[list[str]] = _TABLES["translated"].split()

COUNTRY_NAMES: Final[dict[str, str]] = {row["iso_3166_1"]: row["english_name"] for row in COUNTRIES}
LANGUAGE_ROWS: Final[dict[str, Row]] = {row["iso_639_1"]: row for row in LANGUAGES}


class Provider(NamedTuple):
    """A place to watch films: its row in a film's offers, what kinds of offers it makes, and where."""

    row: Row
    kinds: list[str]
    countries: list[str]


#: Where there are providers.
PROVIDER_COUNTRIES: Final[list[str]] = _TABLES["providers"]["countries"].split()
PROVIDERS: Final = [
    Provider(
        {
            "logo_path": f"/provider{code.zfill(4)}.jpg",
            "provider_id": int(code),
            "provider_name": name,
            "display_priority": priority,
        },
        kinds.split(","),
        PROVIDER_COUNTRIES if countries == "*" else countries.split(),
    )
    for priority, (code, name, kinds, countries) in enumerate(
        (*row.split(" ", 1)[:1], *row.split(" ", 1)[1].split("|"))
        for row in _TABLES["providers"]["rows"].strip().replace("\n", " ").split("; ")
    )
]


#: /certification/movie/list: by country, the mildest first.
CERTIFICATION_LIST: Final[Row] = {
    "certifications": {
        country: [
            {"certification": name, "meaning": f"{name}: step {order} of {len(names)}.", "order": order}
            for order, name in enumerate(names, 1)
        ]
        for country, names in CERTIFICATIONS.items()
    }
}
#: /watch/providers/movie and /watch/providers/regions.
PROVIDER_LIST: Final[Row] = {
    "results": [
        {
            "display_priorities": dict.fromkeys(provider.countries, provider.row["display_priority"]),
            **provider.row,
        }
        for provider in PROVIDERS
    ]
}
PROVIDER_REGIONS: Final[Row] = {
    "results": [row for row in COUNTRIES if row["iso_3166_1"] in PROVIDER_COUNTRIES]
}
