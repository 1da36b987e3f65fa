"""One film of the synthetic catalogue as /movie/{id} tells it on a day.

Keys, types and order are those of TMDB's answers of 2026 (OpenAPI of 2026-05 and the key `softcore` that came
after it). What is usual is made here, what is odd in `quirks`.
"""

from datetime import date
from typing import Any, Final

from demo import quirks, words
from demo.draws import MASK, UNIT, numbers, pick, spread
from demo.entities import COUNTRY_TABLE, Entities, image_path
from demo.reference import COUNTRY_NAMES, GENRE_NAMES, LANGUAGE_ROWS
from demo.slots import ADULT, RECENT, UNDATED, VIDEO, Slots

_LANGUAGES: Final = spread(words.WEIGHTS["languages"])
#: Where films of a language come from; of the languages that are not here, from anywhere.
_COUNTRIES: Final = {row[:2]: spread(row[3:], 64) for row in words.parts(words.WEIGHTS["at_home"], ";")}
_GENRES: Final = [int(genre) for genre in spread(words.WEIGHTS["genres"])]
#: A film's status from so many days before its release on.
STATUSES: Final = {0: "Released", 120: "Post Production", 300: "In Production"}


class Outline:
    """What the film that stands in a slot on a day is, enough to filter and to list by, and what follows from
    that alone.
    """

    def __init__(self, slots: Slots, slot: int, day: int) -> None:
        slots.ready(slot)
        self.slots, self.slot, self.day = slots, slot, day
        self.flags, self.fame, self.mix = slots.flags[slot], slots.fame[slot], slots.mix[slot]
        self.release = slots.release_day(slot, day)
        self.film_id = slots.film_id(slot, slots.generation(slot, day))
        #: The film's own numbers.
        self.drawn = numbers(f"{slots.seed}:film:{self._original()}", 80)
        #: How often each of its fields was edited.
        self.versions = slots.versions(slot, day)
        self.language = pick(_LANGUAGES, self.drawn[0])

    def _original(self) -> int:
        """The id that the film's own facts are drawn from.

        One recent film of 128 is an entry made twice: it tells the film that the slot before it held at that
        time once more, under an id of its own, until TMDB merges the two and this id is gone.
        """
        slots, before = self.slots, self.slot - 1
        if before < 0 or not self.flags & RECENT or self.mix >> 20 & 127 != 3:
            return self.film_id
        slots.ready(before)
        return slots.film_id(before, slots.generation(before, slots.announced(self.slot, self.day)))

    def numbers(self, what: str, count: int) -> tuple[int, ...]:
        """More numbers of the film's own, for one part of it."""
        return numbers(f"{self.slots.seed}:{what}:{self.film_id}", count)

    def version(self, field: str) -> str:
        """What a field is drawn from that each edit makes anew."""
        return f"{self.slots.seed}:{field}:{self.film_id}:{self.versions[field]}"

    def share(self) -> float:
        """How much of the world knows the film: 0.1 to 0.95."""
        return min(0.95, 0.1 + self.fame / 40)

    def popularity(self) -> float:
        """Popularity as TMDB rounds it."""
        return round(self.slots.popularity(self.slot, self.day), 4)

    def genre_ids(self) -> list[int]:
        """Genres, the first the film's main one. Edits drop one, add one, or take all away."""
        drawn = self.drawn[1]
        count = (0, 1, 1, 1, 1, 2, 2, 2, 2, 2, 3, 3, 3, 3, 4, 5)[drawn & 15]
        if count == 0 and drawn & 48:
            count = 2
        state = (self.versions["genres"] + (drawn >> 8)) % 4
        if state == 1:
            count = 0 if drawn >> 11 & 15 == 0 else count - 1 if count > 1 else count + 1
        elif state == 3:
            count += 1
        return list(dict.fromkeys(pick(_GENRES, seed) for seed in self.drawn[2:12]))[:count]

    def titles(self) -> tuple[str, str]:
        """Title in English and original title."""
        drawn = self.drawn
        at = 17 if self.versions["title"] % 2 else 12
        # single-word patterns are rare: most drawn numbers fall on the longer ones
        english = words.PATTERNS[int(len(words.PATTERNS) * (drawn[at] * UNIT) ** 1.4)].format(
            a=pick(words.ADJECTIVES, drawn[at + 1]),
            n=pick(words.NOUNS, drawn[at + 2]),
            m=pick(words.NOUNS, drawn[at + 3]),
            p=pick(words.PLACES, drawn[at + 4]),
        )
        original = words.title_in(self.language, drawn[22], drawn[23]) or english
        # a title without a translation falls back to the original
        return (english if drawn[24] & 7 else original), original

    def countries(self) -> list[str]:
        """Codes of the countries of production, that of origin first."""
        drawn, mix = self.drawn, self.drawn[31]
        first = pick(_COUNTRIES.get(self.language, COUNTRY_TABLE), drawn[30])
        more = (mix >> 8 & 7 == 0) + (self.versions["countries"] + (mix >> 16)) % 2 * (mix >> 5 & 1)
        others = [pick(COUNTRY_TABLE, seed) for seed in drawn[32 : 32 + more]]
        return list(dict.fromkeys([first, *others] if mix % 17 else others))

    def imdb_id(self) -> str | None:
        """IMDb's id, None where TMDB does not know it."""
        drawn = self.drawn[50]
        return f"tt{drawn // 20 % 39_000_000:07d}" if drawn % 20 > 1 else None


class Films:
    """Builds films; every answer is a function of the seed, the film's id and the day."""

    def __init__(self, seed: str) -> None:
        self.entities = Entities(seed)
        self.quirks = quirks.Planting(seed)

    def film(self, outline: Outline) -> dict[str, Any]:
        """The payload of /movie/{id} without appended blocks."""
        drawn, flags, version = outline.drawn, outline.flags, outline.version
        title, original_title = outline.titles()
        budget, revenue = _money(outline)
        countries = outline.countries()
        in_collection = (drawn[48] + outline.versions["collection"] * 0x20000000) & MASK < 0x1C000000
        votes = outline.slots.votes(outline.slot, outline.day)
        film = {
            "adult": bool(flags & ADULT),
            "backdrop_path": image_path(version("backdrop")) if drawn[51] % 9 else None,
            "belongs_to_collection": self.entities.collection(drawn[49]) if in_collection else None,
            "budget": budget,
            "genres": [{"id": genre, "name": GENRE_NAMES[genre]} for genre in outline.genre_ids()],
            "homepage": _homepage(outline),
            "id": outline.film_id,
            "imdb_id": "" if drawn[50] % 20 == 1 else outline.imdb_id(),
            "origin_country": countries[:1],
            "original_language": outline.language,
            "original_title": original_title,
            "overview": _overview(outline, title),
            "popularity": outline.popularity(),
            "poster_path": image_path(version("poster")) if drawn[52] % 25 else None,
            "production_companies": self._companies(outline),
            "production_countries": [{"iso_3166_1": code, "name": COUNTRY_NAMES[code]} for code in countries],
            "release_date": "" if flags & UNDATED else date.fromordinal(outline.release).isoformat(),
            "revenue": revenue,
            "runtime": _runtime(outline),
            "softcore": bool(flags & ADULT and drawn[53] & 1),
            "spoken_languages": [
                {key: LANGUAGE_ROWS[code][key] for key in ("english_name", "iso_639_1", "name")}
                for code in _languages(outline)
            ],
            "status": _status(outline),
            "tagline": _tagline(outline),
            "title": title,
            "video": bool(flags & VIDEO),
            "vote_average": _vote_average(outline, votes),
            "vote_count": votes,
        }
        for quirk in self.quirks.of(outline.slot):
            film.update(quirk.changes(film, drawn))
        return film

    def original_title(self, outline: Outline) -> str:
        """The original title as the film's payload has it, quirks included: for the daily export."""
        film = dict(zip(("title", "original_title"), outline.titles(), strict=True))
        for quirk in self.quirks.of(outline.slot):
            if quirk.in_titles:
                film.update(quirk.changes(film, outline.drawn))
        return film["original_title"]

    def _companies(self, outline: Outline) -> list[dict[str, Any]]:
        drawn = outline.drawn
        count = (0, 1, 1, 1, 2, 2, 2, 3, 3, 3, 4, 4, 5, 6, 4, 3)[drawn[38] & 15]
        state = (outline.versions["companies"] + (drawn[38] >> 8)) % 3
        count = max(0, count + (0, -1, 1)[state])
        ranks = dict.fromkeys(self.entities.company_rank(seed) for seed in drawn[40 : 40 + count])
        return [self.entities.company(rank, outline.day) for rank in ranks]


def _overview(film: Outline, title: str) -> str:
    drawn = numbers(film.version("overview"), 8)
    if drawn[0] % 23 == 0:
        return ""
    hero, event = pick(words.HEROES, drawn[1]), pick(words.EVENTS, drawn[2])
    turns = (pick(words.TURNS, turn) for turn in drawn[3 : 4 + drawn[0] % 5])
    sentences = list(dict.fromkeys([f"In {pick(words.PLACES, drawn[3])}, {hero} {event}.", *turns]))
    if drawn[0] & 64:
        hero, event = pick(words.HEROES, drawn[7]), pick(words.EVENTS, drawn[6])
        sentences.append(f"“{title}” follows {hero} who {event}.")
    return " ".join(sentences)


def _tagline(film: Outline) -> str:
    drawn = numbers(film.version("tagline"), 2)
    return pick(words.TAGLINES, drawn[1]) if drawn[0] % 9 > 3 else ""


def _money(film: Outline) -> tuple[int, int]:
    """Budget and revenue; 0 where they are not known."""
    drawn, level = film.drawn, film.fame
    known = 0.85 if level > 20 else 0.35 if level > 2 else 0.05
    budget = revenue = 0
    if drawn[26] * UNIT < known:
        size = min(2_000_000 + level * 1_600_000, 300_000_000)
        budget = int(size * (0.2 + 1.2 * drawn[27] * UNIT)) // 50_000 * 50_000
    if film.release <= film.day and drawn[28] * UNIT < known:
        size = min(level * 5_000_000, 1_200_000_000)
        revenue = int(size * 2 * (drawn[29] * UNIT) ** 2) + film.versions["money"] * 1013
    return budget, revenue


def _languages(film: Outline) -> list[str]:
    drawn = film.drawn
    if drawn[34] % 19 == 0:
        return []
    more = drawn[35 : 35 + (0, 0, 0, 0, 0, 1, 1, 2)[drawn[34] & 7]]
    return list(dict.fromkeys([film.language, *(pick(_LANGUAGES, seed) for seed in more)]))


def _status(film: Outline) -> str:
    wait = film.release - film.day
    if film.drawn[39] % 900 == 0:
        return "Canceled"
    if film.flags & UNDATED:
        return "Planned" if film.drawn[39] & 3 else "Rumored"
    return next((status for days, status in STATUSES.items() if wait <= days), "Planned")


def _homepage(film: Outline) -> str | None:
    if (film.drawn[54] + film.versions["homepage"]) % 11 > 3:
        return "" if film.drawn[55] % 7 else None
    return f"https://www.{pick(words.NOUNS, film.drawn[55]).lower()}-{film.film_id}.example/film/"


def _runtime(film: Outline) -> int | None:
    mix, drawn = film.drawn[56:58]
    if mix % 13 == 0:
        return 0 if mix % 5 else None
    if mix % 7 == 0:
        return 3 + drawn % 40 + film.versions["runtime"] % 2
    return 60 + ((drawn & 0xFF) + (drawn >> 8 & 0xFF)) * 90 // 510 + film.versions["runtime"] % 3


def _vote_average(film: Outline, votes: int) -> float | int:
    """A film's average after so many votes: it wanders about the film's own level, the less the more votes
    there are.

    A function of the count, so it moves only when votes come in.
    """
    drawn, mix = film.drawn[47], film.mix
    bell = (drawn & 0xFF) + (drawn >> 8 & 0xFF) + (drawn >> 16 & 0xFF) - 382
    level = 6.3 + bell / 150
    if votes == 0:
        average = 0.0
    elif votes < 4:
        average = float(max(1, min(10, round(level + (votes + (mix & 3)) % 5 - 2))))
    else:
        wobble = (((mix ^ votes) * 0x9E3779B1 & MASK) * UNIT - 0.5) * 10 / votes
        average = round(max(0.5, min(10.0, level + wobble)), 3)
    # TMDB writes whole numbers now as 7, now as 7.0
    return int(average) if average.is_integer() and film.film_id & 1 else average
