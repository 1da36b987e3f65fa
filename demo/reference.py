"""TMDB's lists: genres, countries, languages, certifications, providers, read from reference.toml beside this
file. The providers are invented, all else is as TMDB has it.
"""

from typing import Any, Final, NamedTuple

from demo.words import parts, table

Row = dict[str, Any]


def _rows(packed: str) -> list[list[str]]:
    """A code, and what is said of it."""
    rows = (row.partition(" ") for row in packed.replace("\n", " ").split("; "))
    return [[code, *said.split("|")] for code, _, said in rows]


_TABLE: Final = table("reference.toml")
COUNTRIES: Final[list[Row]] = [
    {"iso_3166_1": code, "english_name": name, "native_name": (*native, name)[0]}
    for code, name, *native in _rows(_TABLE["countries"])
]
LANGUAGES: Final[list[Row]] = [
    {"iso_639_1": code, "english_name": name.replace(" ;", "; "), "name": (*own, "")[0]}
    for code, name, *own in _rows(_TABLE["languages"])
]
COUNTRY_NAMES: Final[dict[str, str]] = {row["iso_3166_1"]: row["english_name"] for row in COUNTRIES}
LANGUAGE_ROWS: Final[dict[str, Row]] = {row["iso_639_1"]: row for row in LANGUAGES}

_GENRE_IDS: Final[list[int]] = _TABLE["genres"].pop("ids")
#: Names of the genres by language and id.
GENRE_NAMES_IN: Final[dict[str, dict[int, str]]] = {
    language: dict(zip(_GENRE_IDS, parts(packed), strict=True))
    for language, packed in _TABLE["genres"].items()
}
GENRE_NAMES: Final = GENRE_NAMES_IN["en"]
GENRES: Final[list[Row]] = [{"id": genre_id, "name": name} for genre_id, name in GENRE_NAMES.items()]
#: Dropped from the list between 2017 and 2018; films still carry it.
DROPPED_GENRE: Final[Row] = {"id": 10769, "name": "Foreign"}

#: A country's certifications, the mildest first.
CERTIFICATIONS: Final = {country: parts(packed) for country, packed in _TABLE["certifications"].items()}
#: Countries where films are released, the biggest markets first.
MARKETS: Final[list[str]] = _TABLE["markets"].split()
#: Languages, with their countries, that films are translated into.
TRANSLATED: Final[list[str]] = _TABLE["translated"].split()


class Provider(NamedTuple):
    """A place to watch films: its row in a film's offers, what kinds of offers it makes, and where."""

    row: Row
    kinds: list[str]
    countries: list[str]


#: Where there are providers.
PROVIDER_COUNTRIES: Final[list[str]] = _TABLE["providers"]["countries"].split()
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
    for priority, (code, name, kinds, countries) in enumerate(_rows(_TABLE["providers"]["rows"]))
]

#: What is answered for each list, by path.
LISTS: Final[dict[str, Any]] = {
    "/genre/movie/list": {"genres": GENRES},
    "/configuration/countries": COUNTRIES,
    "/configuration/languages": LANGUAGES,
    "/certification/movie/list": {
        "certifications": {
            country: [
                {"certification": name, "meaning": f"{name}: step {order} of {len(names)}.", "order": order}
                for order, name in enumerate(names, 1)
            ]
            for country, names in CERTIFICATIONS.items()
        }
    },
    "/watch/providers/movie": {
        "results": [
            {"display_priorities": dict.fromkeys(countries, row["display_priority"]), **row}
            for row, _, countries in PROVIDERS
        ]
    },
    "/watch/providers/regions": {
        "results": [row for row in COUNTRIES if row["iso_3166_1"] in PROVIDER_COUNTRIES]
    },
}
