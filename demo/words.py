"""Vocabulary of the synthetic catalogue, read from words.toml beside this file."""

import tomllib
from pathlib import Path
from typing import Any, Final, NamedTuple


class Phrases(NamedTuple):
    """Title parts of one language: any head, the joint, any tail."""

    heads: list[str]
    tails: list[str]
    joint: str


class Translation(NamedTuple):
    """What a film is said to be about in one language; `{title}` is its title."""

    overviews: list[str]
    taglines: list[str]


class Name(NamedTuple):
    """One first or last name, in Roman letters and in its own script (the same where that is Roman)."""

    roman: str
    native: str


class Names(NamedTuple):
    """First and last names of one culture; `native` is the order of a name in its own script."""

    first: list[Name]
    last: list[Name]
    native: str


def _list(packed: str) -> list[str]:
    return [item.strip() for item in packed.split("|")]


def _name(item: str) -> Name:
    roman, _, native = item.partition("=")
    return Name(roman, native or roman)


_VOCABULARY: Final[dict[str, Any]] = tomllib.loads(
    Path(__file__).with_name("words.toml").read_text(encoding="utf-8")
)

PATTERNS: Final = _list(_VOCABULARY["titles"]["patterns"])
ADJECTIVES: Final = _list(_VOCABULARY["titles"]["adjectives"])
NOUNS: Final = _list(_VOCABULARY["titles"]["nouns"])
PLACES: Final = _list(_VOCABULARY["titles"]["places"])
PHRASES: Final = {
    language: Phrases(_list(entry["heads"]), _list(entry["tails"]), entry.get("joint", " "))
    for language, entry in _VOCABULARY["phrases"].items()
}

TRANSLATIONS: Final = {
    language: Translation(_list(entry["overviews"]), _list(entry["taglines"]))
    for language, entry in _VOCABULARY["translations"].items()
}

HEROES: Final = _list(_VOCABULARY["overviews"]["heroes"])
EVENTS: Final = _list(_VOCABULARY["overviews"]["events"])
TURNS: Final = _list(_VOCABULARY["overviews"]["turns"])
TAGLINES: Final = _list(_VOCABULARY["overviews"]["taglines"])
KEYWORDS: Final = _list(_VOCABULARY["overviews"]["keywords"])

COMPANY_FIRST: Final = _list(_VOCABULARY["companies"]["first"])
COMPANY_SECOND: Final = _list(_VOCABULARY["companies"]["second"])
COMPANY_ENDINGS: Final = _list(_VOCABULARY["companies"]["endings"])

NAMES: Final = {
    culture: Names(
        [_name(item) for item in _list(entry["first"])],
        [_name(item) for item in _list(entry["last"])],
        entry.get("native", "{first} {last}"),
    )
    for culture, entry in _VOCABULARY["names"].items()
}

JOBS: Final = {department: _list(jobs) for department, jobs in _VOCABULARY["crew"].items()}
