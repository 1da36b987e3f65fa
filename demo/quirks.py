"""The oddities that were measured in TMDB's answers, planted into the synthetic catalogue.

Each has the rate at which it was measured (API_FACTS.md, "Shape of a movie") and, whatever the rate, stands
in one film of the first 200, one of the next 600 and one of the next 1,200, so that a small catalogue shows
it too. Oddities that come by themselves are not here: unknown values (0, "", null), codes `xx` and `cn`,
names shared by companies, companies renamed, ids that discover lists and /movie denies.
"""

import unicodedata
from bisect import bisect_right
from collections.abc import Callable, Sequence
from typing import Any, Final, NamedTuple

from demo.draws import UNIT, numbers
from demo.reference import COUNTRIES, COUNTRY_NAMES, DROPPED_GENRE, GENRES, LANGUAGES

Film = dict[str, Any]
Drawn = Sequence[int]


class Quirk(NamedTuple):
    """An oddity: how many of the films have it, and how it alters a film's payload in place."""

    name: str
    rate: float
    apply: Callable[[Film, Drawn], None]
    #: Whether it touches the titles; then `apply` must do with a film of nothing but its titles.
    in_titles: bool = False


# --- lists --------------------------------------------------------------------------------------------------


def _genre_twice(film: Film, drawn: Drawn) -> None:
    film["genres"] = (film["genres"] or [dict(GENRES[drawn[60] % len(GENRES)])]) * 2


def _dropped_genre(film: Film, drawn: Drawn) -> None:
    film["genres"] = [*film["genres"][:3], dict(DROPPED_GENRE)]


def _no_genres(film: Film, drawn: Drawn) -> None:
    film["genres"] = []


def _unknown_country(film: Film, drawn: Drawn) -> None:
    film["production_countries"] = [*film["production_countries"], {"iso_3166_1": "XX", "name": ""}]


def _old_country(film: Film, drawn: Drawn) -> None:
    film["production_countries"] = [
        {"iso_3166_1": code, "name": COUNTRY_NAMES[code]} for code in ("SU", "XC")
    ]
    film["origin_country"] = ["SU"]


def _unknown_language(film: Film, drawn: Drawn) -> None:
    film["original_language"] = "zz"
    film["spoken_languages"] = [{"english_name": "", "iso_639_1": "zz", "name": ""}]


def _many_values(film: Film, drawn: Drawn) -> None:
    """The longest lists measured: 9 genres, 26 countries, 11 languages, 32 companies."""
    first = drawn[61]
    film["genres"] = [dict(GENRES[(first + i) % len(GENRES)]) for i in range(9)]
    rows = [COUNTRIES[(first + 7 * i) % len(COUNTRIES)] for i in range(26)]
    film["production_countries"] = [{"iso_3166_1": r["iso_3166_1"], "name": r["english_name"]} for r in rows]
    spoken = [LANGUAGES[(first + 5 * i) % len(LANGUAGES)] for i in range(11)]
    film["spoken_languages"] = [
        {"english_name": r["english_name"], "iso_639_1": r["iso_639_1"], "name": r["name"]} for r in spoken
    ]
    film["production_companies"] = [
        {"id": 190_000 + 3 * i, "logo_path": None, "name": f"Regional Fund No. {i + 1}", "origin_country": ""}
        for i in range(32)
    ]


# --- numbers ------------------------------------------------------------------------------------------------


def _big_revenue(film: Film, drawn: Drawn) -> None:
    film["revenue"] = 2_147_483_648 + drawn[62] % 775_000_000


def _tiny_budget(film: Film, drawn: Drawn) -> None:
    film["budget"] = 1 + drawn[62] % 999


def _tiny_revenue(film: Film, drawn: Drawn) -> None:
    film["revenue"] = 1 + drawn[63] % 999


def _long_runtime(film: Film, drawn: Drawn) -> None:
    film["runtime"] = 900 + drawn[62] % 228


def _null_runtime(film: Film, drawn: Drawn) -> None:
    film["runtime"] = None


def _whole_popularity(film: Film, drawn: Drawn) -> None:
    film["popularity"] = int(film["popularity"])


def _float_votes(film: Film, drawn: Drawn) -> None:
    film["vote_average"] = float(round(film["vote_average"]))


def _first_film(film: Film, drawn: Drawn) -> None:
    if film["release_date"]:
        film["release_date"] = "1898-01-01"


# --- keys ---------------------------------------------------------------------------------------------------


def _old_shape(film: Film, drawn: Drawn) -> None:
    """The keys of 2017: what came later is missing."""
    for key in ("origin_country", "softcore"):
        film.pop(key, None)
    for company in film["production_companies"]:
        company.pop("logo_path", None)
        company.pop("origin_country", None)
    for language in film["spoken_languages"]:
        language.pop("english_name", None)


def _new_key(film: Film, drawn: Drawn) -> None:
    film["content_advisory"] = {"level": drawn[62] % 4, "notes": []}


# --- texts --------------------------------------------------------------------------------------------------


def _not_nfc(film: Film, drawn: Drawn) -> None:
    film["original_title"] = unicodedata.normalize("NFD", film["original_title"] + " – Café d'Été")
    if film.get("overview"):
        film["overview"] = unicodedata.normalize("NFD", film["overview"] + " Très bientôt à Zürich.")


def _outer_spaces(film: Film, drawn: Drawn) -> None:
    film["title"] = f" {film['title']}  "
    film["original_title"] = film["original_title"] + " "


def _long_texts(film: Film, drawn: Drawn) -> None:
    """The longest texts measured: title 113, overview 1000, homepage 492, tagline 255, company 98."""
    film["title"] = (
        film["title"] + ", or How Everyone in the Village Came to Know What Had Never Been Said " * 2
    )[:113]
    if "overview" in film:
        film["overview"] = ((film["overview"] or "Nobody knows.") * 20)[:1000]
        film["tagline"] = ((film["tagline"] or "Some doors open once. ") * 30)[:255]
        film["homepage"] = ("https://www.very-long.example/?" + "utm_source=poster&" * 40)[:492]
        if film["production_companies"]:
            film["production_companies"][0]["name"] = (
                "Consortium of Regional Broadcasters and Film Funds " * 3
            )[:98]


def _line_feeds(film: Film, drawn: Drawn) -> None:
    film["overview"] = (film["overview"] or "A film in two parts.").replace(". ", ".\r\n\r\n", 1) + "\n"


def _del_character(film: Film, drawn: Drawn) -> None:
    film["overview"] = "\x7f" + film["overview"]


def _zero_width(film: Film, drawn: Drawn) -> None:
    film["overview"] = "\u200b" + film["overview"].replace(" ", " \u200b", 1)
    film["title"] = film["title"] + "\u200b"


def _no_break_space(film: Film, drawn: Drawn) -> None:
    film["overview"] = film["overview"].replace(" ", "\u00a0", 2) + "\u00a0"


def _entities(film: Film, drawn: Drawn) -> None:
    film["overview"] = film["overview"] + " Love &amp; loss &quot;by the sea&quot;."
    film["tagline"] = "Love &amp; loss."


def _nul(film: Film, drawn: Drawn) -> None:
    film["overview"] = "Broken\u0000off: " + film["overview"]


QUIRKS: Final[tuple[Quirk, ...]] = (
    Quirk("genre_twice", 4 / 13_845, _genre_twice),
    Quirk("dropped_genre", 34 / 4_803, _dropped_genre),
    Quirk("no_genres", 0.001, _no_genres),
    Quirk("unknown_country", 0.0005, _unknown_country),
    Quirk("old_country", 0.001, _old_country),
    Quirk("unknown_language", 0.0002, _unknown_language),
    Quirk("many_values", 0.0001, _many_values),
    Quirk("big_revenue", 0.0002, _big_revenue),
    Quirk("tiny_budget", 32 / 4_803, _tiny_budget),
    Quirk("tiny_revenue", 22 / 4_803, _tiny_revenue),
    Quirk("long_runtime", 0.0002, _long_runtime),
    Quirk("null_runtime", 2 / 4_803, _null_runtime),
    Quirk("whole_popularity", 0.001, _whole_popularity),
    Quirk("float_votes", 0.002, _float_votes),
    Quirk("first_film", 0.0001, _first_film),
    Quirk("old_shape", 0.002, _old_shape),
    Quirk("new_key", 0.001, _new_key),
    Quirk("not_nfc", 0.005, _not_nfc, in_titles=True),
    Quirk("outer_spaces", 0.005, _outer_spaces, in_titles=True),
    Quirk("long_texts", 0.0005, _long_texts, in_titles=True),
    Quirk("line_feeds", 0.03, _line_feeds),
    Quirk("del_character", 1 / 13_845, _del_character),
    Quirk("zero_width", 0.004, _zero_width),
    Quirk("no_break_space", 0.004, _no_break_space),
    Quirk("entities", 0.003, _entities),
    # none was found in the wild; one film has it, because jsonb cannot hold it
    Quirk("nul", 0.0, _nul),
)
#: Slots in which a quirk stands at least once each.
_PLOTS: Final = ((0, 200), (200, 800), (800, 2000))


class Planting:
    """Which quirks the films of a catalogue have. They stay with the slot, whatever film it holds."""

    def __init__(self, seed: str) -> None:
        self._seed = seed
        self._bounds: list[float] = []
        total = 0.0
        for quirk in QUIRKS:
            total += quirk.rate
            self._bounds.append(total)
        self._planted: dict[int, list[Quirk]] = {}
        for quirk in QUIRKS:
            drawn = numbers(f"{seed}:quirk:{quirk.name}", len(_PLOTS))
            for (first, end), number in zip(
                _PLOTS[:1] if quirk.name == "nul" else _PLOTS, drawn, strict=False
            ):
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
