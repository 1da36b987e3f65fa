"""Vocabulary of the synthetic catalogue, read from words.toml beside this file."""

import tomllib
from pathlib import Path
from typing import Any, Final, NamedTuple

from demo.draws import pick


def table(name: str) -> dict[str, Any]:
    """A TOML file of this folder."""
    return tomllib.loads(Path(__file__).with_name(name).read_text(encoding="utf-8"))


def parts(packed: str, separator: str = "|") -> list[str]:
    """The items of a packed list; they may be broken over lines."""
    return [item.strip() for item in packed.replace("\n", " ").split(separator)]


def _two_lists(packed: str) -> tuple[list[str], list[str]]:
    first, second = parts(packed, " / ")
    return parts(first), parts(second)


class Name(NamedTuple):
    """One first or last name, in Roman letters and in its own script (the same where that is Roman)."""

    roman: str
    native: str


def _name(item: str) -> Name:
    roman, _, native = item.partition("=")
    return Name(roman, native or roman)


_TABLE: Final = table("words.toml")
PATTERNS, ADJECTIVES, NOUNS, PLACES = map(parts, _TABLE["titles"].values())
HEROES, EVENTS, TURNS, TAGLINES, KEYWORDS = map(parts, _TABLE["overviews"].values())
COMPANY_FIRST, COMPANY_SECOND, COMPANY_ENDINGS = map(parts, _TABLE["companies"].values())
#: Jobs by department.
JOBS: Final = {department: parts(jobs) for department, jobs in _TABLE["crew"].items()}
ROLES: Final = parts(_TABLE["roles"])
#: What is noted of a release, by its type.
NOTES: Final = {int(kind): parts(notes) for kind, notes in _TABLE["notes"].items()}
#: What is drawn more or less often, for `draws.spread`.
WEIGHTS: Final[dict[str, str]] = _TABLE["weights"]
#: First and last names by culture.
NAMES: Final = {
    culture: tuple([_name(item) for item in names] for names in _two_lists(packed))
    for culture, packed in _TABLE["names"].items()
}
#: Overviews and taglines by language.
TRANSLATIONS: Final = {language: _two_lists(packed) for language, packed in _TABLE["translations"].items()}
_PHRASES: Final = {language: _two_lists(packed) for language, packed in _TABLE["phrases"].items()}


def title_in(language: str, head: int, tail: int) -> str:
    """The title in a language that the two numbers draw; "" for a language without titles of its own."""
    if language not in _PHRASES:
        return ""
    heads, tails = _PHRASES[language]
    return pick(heads, head) + ("" if language in ("ja", "zh", "cn", "th") else " ") + pick(tails, tail)
