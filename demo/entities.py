"""What films share: companies, people, keywords, collections, each drawn from its rank in a long-tailed list.

Rank 0 is the most frequent. Ids are sparse and unique per kind; names are not (two companies may share a
name, as on TMDB). A person or a company is the same wherever it stands.
"""

from base64 import b64encode
from functools import lru_cache
from hashlib import shake_128
from typing import Any, Final

import orjson

from demo import words
from demo.draws import UNIT, numbers, pick, spread

COMPANIES: Final = 60_000
PEOPLE: Final = 500_000
COLLECTIONS: Final = 6_000
#: Days between two names of a company that is ever renamed (one in twelve; never the thirty biggest).
RENAME_DAYS: Final = 400
#: One company of so many has the name of the one before it (measured: 29 names of 5,047 companies).
TWIN_EVERY: Final = 170

#: Origins of companies and of films without a language of their own.
COUNTRY_TABLE: Final = spread(words.WEIGHTS["countries"])
#: Which culture a person of a rank belongs to: rank % 32 is an index into it.
_CULTURE_SEATS: Final = (
    ["en"] * 14 + ["fr", "es", "de", "it", "sv", "pt"] * 2 + ["ja", "zh", "ko", "ru", "hi", "en"]
)
#: Languages that share the names of another; those that have none either take English ones.
_SHARED: Final = {
    "da": "sv", "no": "sv", "nb": "sv", "fi": "sv", "ta": "hi", "te": "hi", "ml": "hi",
    "ca": "es", "cn": "zh", "uk": "ru",
}  # fmt: skip
_SEATS_OF: Final = {
    language: [seat for seat, of_seat in enumerate(_CULTURE_SEATS) if of_seat == culture]
    for language, culture in [*zip(words.NAMES, words.NAMES, strict=True), *_SHARED.items()]
}
_SMALL_COMPANIES: Final = words.COMPANY_FIRST + words.NOUNS + [name.roman for name in words.NAMES["en"][1]]
_DEPARTMENTS: Final = ["Acting"] * 6 + list(words.JOBS)


def image_path(key: str) -> str:
    """A path as TMDB gives images: a slash, 27 letters and digits, `.jpg`."""
    return "/" + b64encode(shake_128(key.encode()).digest(21), altchars=b"zQ")[:27].decode() + ".jpg"


class Entities:
    """The shared entities of the catalogue that `seed` draws."""

    def __init__(self, seed: str) -> None:
        self.seed = seed
        #: What the rows of `cast` and `crew` say of a person, by rank, as the beginning of a JSON object. The
        #: people kept are about 20 MB.
        self.person = lru_cache(50_000)(self._person)

    def company_rank(self, drawn: int) -> int:
        """A rank from a uniform 32-bit number, by Zipf's law: the first in about 6 % of the draws."""
        return int(COMPANIES ** (drawn * UNIT)) - 1

    def company(self, rank: int, day: int) -> dict[str, Any]:
        """A row of `production_companies`, with the name that the company bears on `day`."""
        drawn = numbers(f"{self.seed}:company:{rank}", 4)
        has_logo = drawn[2] & 7 > 2
        return {
            "id": rank * 3 + 1 + drawn[0] % 3,
            "logo_path": image_path(f"{self.seed}:logo:{rank}")[:-3] + "png" if has_logo else None,
            "name": self._company_name(rank - 1 if rank % TWIN_EVERY == 7 else rank, day),
            "origin_country": "" if drawn[3] % 10 == 0 else pick(COUNTRY_TABLE, drawn[3]),
        }

    def _company_name(self, rank: int, day: int) -> str:
        first, second, ending, rename = numbers(f"{self.seed}:company-name:{rank}", 4)
        # the big ones have plain names, the small ones need more words to be told apart
        name = pick(words.COMPANY_FIRST if rank < 300 else _SMALL_COMPANIES, first)
        if rank >= 60:
            name += " " + pick(words.COMPANY_SECOND, second)
        at = ending % len(words.COMPANY_ENDINGS)
        if rank >= 30 and rename % 12 == 0:
            at += (day + (rename >> 8)) // RENAME_DAYS
        return f"{name} {words.COMPANY_ENDINGS[at % len(words.COMPANY_ENDINGS)]}"

    def person_rank(self, drawn: int, language: str) -> int:
        """A rank from a uniform 32-bit number: long-tailed, and of the culture of the film's language."""
        rank = int(300 * ((PEOPLE / 300 + 1) ** (drawn * UNIT) - 1))
        seats = _SEATS_OF.get(language) or _SEATS_OF["en"]
        return rank - rank % 32 + seats[drawn % len(seats)]

    def _person(self, rank: int) -> bytes:
        culture = _CULTURE_SEATS[rank % 32]
        drawn = numbers(f"{self.seed}:person:{rank}", 6)
        firsts, lasts = words.NAMES[culture]
        first, last = pick(firsts, drawn[0]), pick(lasts, drawn[1])
        name, native = f"{first.roman} {last.roman}", f"{first.native} {last.native}"
        if culture in ("ja", "zh", "ko"):
            native = last.native + first.native
        person = {
            "adult": False,
            "gender": (0, 1, 2, 2, 1, 2, 0, 3)[drawn[3] & 7] if drawn[3] & 0x38 else 0,
            "id": rank * 7 + 2 + drawn[2] % 7,
            "known_for_department": pick(_DEPARTMENTS, drawn[4]),
            "name": name,
            "original_name": native if drawn[2] & 3 > 0 else name,
            "popularity": round(8 * ((rank + 20) / 20) ** -0.5 * (0.5 + drawn[5] * UNIT), 4),
            "profile_path": image_path(f"{self.seed}:profile:{rank}") if drawn[5] & 3 else None,
        }
        return orjson.dumps(person)[:-1]

    def keyword(self, drawn: int) -> dict[str, Any]:
        """A row of `keywords`: mostly one of the common words, sometimes one of the long tail."""
        if drawn & 3:
            index = int(len(words.KEYWORDS) * (drawn * UNIT) ** 2)
            return {"id": 100 + index * 37, "name": words.KEYWORDS[index]}
        adjective = drawn * len(words.ADJECTIVES) >> 32
        noun = (drawn >> 8) % len(words.NOUNS)
        name = f"{words.ADJECTIVES[adjective]} {words.NOUNS[noun]}".lower()
        return {"id": 200_000 + adjective * 100 + noun, "name": name}

    def collection(self, drawn: int) -> dict[str, Any]:
        """A film's `belongs_to_collection`."""
        index = int(COLLECTIONS * (drawn * UNIT) ** 2)
        adjective, noun = numbers(f"{self.seed}:collection:{index}", 2)
        return {
            "id": 10 + index * 9,
            "name": f"{pick(words.ADJECTIVES, adjective)} {pick(words.NOUNS, noun)} Collection",
            "poster_path": image_path(f"{self.seed}:collection-poster:{index}") if adjective & 7 else None,
            "backdrop_path": image_path(f"{self.seed}:collection-backdrop:{index}") if noun & 7 else None,
        }
