"""The oddities that were measured in TMDB's answers, planted into the synthetic catalogue.

Each has the rate at which it was measured in recorded answers of 2013 to 2026 and, whatever the rate, stands
in one film of the first 200, one of the next 600 and one of the next 1,200, so that a small catalogue shows
it too. Oddities that come by themselves are not here: unknown values (0, "", null), codes `xx` and `cn`,
names shared by companies, companies renamed, ids that discover lists and /movie denies.
"""

import unicodedata
from bisect import bisect_right
from collections.abc import Callable, Sequence
from copy import deepcopy
from itertools import accumulate
from typing import Any, Final, NamedTuple

from demo.draws import UNIT, numbers
from demo.reference import COUNTRIES, COUNTRY_NAMES, DROPPED_GENRE, GENRES, LANGUAGES

Film = dict[str, Any]
Drawn = Sequence[int]


class Quirk(NamedTuple):
    """An oddity: how many of the films have it, and the keys of a film's payload that it sets."""

    name: str
    rate: float
    changes: Callable[[Film, Drawn], Film]
    #: Whether it touches the titles; then `changes` must do with a film of nothing but its titles.
    in_titles: bool = False


def _many_values(film: Film, drawn: Drawn) -> Film:
    """The longest lists measured: 9 genres, 26 countries, 11 languages, 32 companies."""
    first = drawn[61]
    countries = [COUNTRIES[(first + 7 * i) % len(COUNTRIES)] for i in range(26)]
    languages = [LANGUAGES[(first + 5 * i) % len(LANGUAGES)] for i in range(11)]
    return {
        "genres": [dict(GENRES[(first + i) % len(GENRES)]) for i in range(9)],
        "production_countries": [
            {"iso_3166_1": row["iso_3166_1"], "name": row["english_name"]} for row in countries
        ],
        "spoken_languages": [
            {key: row[key] for key in ("english_name", "iso_639_1", "name")} for row in languages
        ],
        "production_companies": [
            {"id": 190_000 + 3 * i, "logo_path": None, "name": f"Regional Fund No. {i + 1}"}
            | {"origin_country": ""}
            for i in range(32)
        ],
    }


def _old_shape(film: Film, drawn: Drawn) -> Film:
    """The keys of 2017: what came later is missing."""
    for key in ("origin_country", "softcore"):
        film.pop(key, None)
    later = {"logo_path", "origin_country", "english_name"}
    return {
        key: [{name: value for name, value in row.items() if name not in later} for row in film[key]]
        for key in ("production_companies", "spoken_languages")
    }


def _not_nfc(film: Film, drawn: Drawn) -> Film:
    added = {"original_title": " – Café d'Été", "overview": " Très bientôt à Zürich."}
    return {
        key: unicodedata.normalize("NFD", film[key] + text) for key, text in added.items() if film.get(key)
    }


def _long_texts(film: Film, drawn: Drawn) -> Film:
    """The longest texts measured: title 113, overview 1000, homepage 492, tagline 255, company 98."""
    or_how = ", or How Everyone in the Village Came to Know What Had Never Been Said "
    for company in (film.get("production_companies") or [])[:1]:
        company["name"] = ("Consortium of Regional Broadcasters and Film Funds " * 3)[:98]
    texts = {
        "title": (film["title"] + or_how * 2)[:113],
        "overview": ((film.get("overview") or "Nobody knows.") * 20)[:1000],
        "tagline": ((film.get("tagline") or "Some doors open once. ") * 30)[:255],
        "homepage": ("https://www.very-long.example/?" + "utm_source=poster&" * 40)[:492],
    }
    return {key: text for key, text in texts.items() if key in film}


def _overview(change: Callable[[str], str]) -> Callable[[Film, Drawn], Film]:
    return lambda film, drawn: {"overview": change(film["overview"])}


def _always(**values: Any) -> Callable[[Film, Drawn], Film]:
    return lambda film, drawn: deepcopy(values)


_SOVIET: Final = [{"iso_3166_1": code, "name": COUNTRY_NAMES[code]} for code in ("SU", "XC")]
_UNKNOWN_COUNTRY: Final = {"iso_3166_1": "XX", "name": ""}
_UNKNOWN_LANGUAGE: Final = {"english_name": "", "iso_639_1": "zz", "name": ""}
# fmt: off
QUIRKS: Final[tuple[Quirk, ...]] = (
    Quirk("genre_twice", 4 / 13_845, lambda f, d: {"genres": (f["genres"] or [GENRES[d[60] % 19]]) * 2}),
    Quirk("dropped_genre", 34 / 4_803, lambda f, d: {"genres": [*f["genres"][:3], dict(DROPPED_GENRE)]}),
    Quirk("no_genres", 0.001, _always(genres=[])),
    Quirk("unknown_country", 0.0005,
          lambda f, d: {"production_countries": [*f["production_countries"], dict(_UNKNOWN_COUNTRY)]}),
    Quirk("old_country", 0.001, _always(production_countries=_SOVIET, origin_country=["SU"])),
    Quirk("unknown_language", 0.0002, _always(original_language="zz", spoken_languages=[_UNKNOWN_LANGUAGE])),
    Quirk("many_values", 0.0001, _many_values),
    Quirk("big_revenue", 0.0002, lambda f, d: {"revenue": 2_147_483_648 + d[62] % 775_000_000}),
    Quirk("tiny_budget", 32 / 4_803, lambda f, d: {"budget": 1 + d[62] % 999}),
    Quirk("tiny_revenue", 22 / 4_803, lambda f, d: {"revenue": 1 + d[63] % 999}),
    Quirk("long_runtime", 0.0002, lambda f, d: {"runtime": 900 + d[62] % 228}),
    Quirk("null_runtime", 2 / 4_803, _always(runtime=None)),
    Quirk("whole_popularity", 0.001, lambda f, d: {"popularity": int(f["popularity"])}),
    Quirk("float_votes", 0.002, lambda f, d: {"vote_average": float(round(f["vote_average"]))}),
    Quirk("first_film", 0.0001, lambda f, d: {"release_date": f["release_date"] and "1898-01-01"}),
    Quirk("old_shape", 0.002, _old_shape),
    Quirk("new_key", 0.001, lambda f, d: {"content_advisory": {"level": d[62] % 4, "notes": []}}),
    Quirk("not_nfc", 0.005, _not_nfc, in_titles=True),
    Quirk("outer_spaces", 0.005, in_titles=True,
          changes=lambda f, d: {"title": f" {f['title']}  ", "original_title": f["original_title"] + " "}),
    Quirk("long_texts", 0.0005, _long_texts, in_titles=True),
    Quirk("line_feeds", 0.03,
          _overview(lambda t: (t or "A film in two parts.").replace(". ", ".\r\n\r\n", 1) + "\n")),
    Quirk("del_character", 1 / 13_845, _overview(lambda t: "\x7f" + t)),
    Quirk("zero_width", 0.004, lambda f, d: {
        "overview": "\u200b" + f["overview"].replace(" ", " \u200b", 1), "title": f["title"] + "\u200b"}),
    Quirk("no_break_space", 0.004, _overview(lambda t: t.replace(" ", "\u00a0", 2) + "\u00a0")),
    Quirk("entities", 0.003, lambda f, d: {
        "overview": f["overview"] + " Love &amp; loss &quot;by the sea&quot;.",
        "tagline": "Love &amp; loss.",
    }),
    # none was found in the wild; one film has it, because jsonb cannot hold it
    Quirk("nul", 0.0, _overview(lambda t: "Broken\u0000off: " + t)),
)
# fmt: on
#: Slots in which a quirk stands at least once each.
_PLOTS: Final = ((0, 200), (200, 800), (800, 2000))


class Planting:
    """Which quirks the films of a catalogue have. They stay with the slot, whatever film it holds."""

    def __init__(self, seed: str) -> None:
        self._seed = seed
        self._bounds = list(accumulate(quirk.rate for quirk in QUIRKS))
        self._planted: dict[int, list[Quirk]] = {}
        for quirk in QUIRKS:
            plots = _PLOTS[:1] if quirk.name == "nul" else _PLOTS
            drawn = numbers(f"{seed}:quirk:{quirk.name}", len(_PLOTS))
            for (first, end), number in zip(plots, drawn, strict=False):
                self._planted.setdefault(first + number * (end - first) // 2**32, []).append(quirk)

    def of(self, slot: int) -> list[Quirk]:
        """The quirks of the slot's film, in the order in which they apply."""
        quirks = self._planted.get(slot, [])
        share = numbers(f"{self._seed}:quirk-of:{slot}", 1)[0] * UNIT
        if share < self._bounds[-1]:
            return [*quirks, QUIRKS[bisect_right(self._bounds, share)]]
        return quirks

    def planted(self, name: str) -> list[int]:
        """The slots that have the quirk for certain."""
        return sorted(slot for slot, quirks in self._planted.items() if any(q.name == name for q in quirks))
