"""A small TMDB of a test's own, day by day: films come and go, are renamed, merged and edited, as on TMDB."""

import copy
import datetime as dt
import random
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final

import orjson

from demo.source import BLOCKS, LISTED_MAX, Change, Film, Query, Ranking

MEASURES: Final = ("popularity", "vote_average", "vote_count")
GENRES: Final = [(18, "Drama"), (35, "Comedy"), (99, "Documentary"), (10769, "Foreign")]
COUNTRIES: Final = [("US", "United States of America"), ("CH", "Switzerland"), ("NA", "Namibia"), ("QQ", "")]
LANGUAGES: Final = [
    ("en", "English", "English"),
    ("xx", "No Language", "No Language"),
    ("cn", "Cantonese", ""),
]
KEYWORDS: Final = range(1, 8)

#: TMDB's lists at first, by their path.
LISTS: Final[dict[str, Any]] = {
    "/genre/movie/list": {"genres": [{"id": id_, "name": name} for id_, name in GENRES[:3]]},
    "/configuration/countries": [
        {"iso_3166_1": "CH", "english_name": "Switzerland", "native_name": "Switzerland"},
        {"iso_3166_1": "NA", "english_name": "Namibia", "native_name": "Namibia"},
        {"iso_3166_1": "US", "english_name": "United States of America", "native_name": "United States"},
    ],
    "/configuration/languages": [
        {"iso_639_1": "en", "english_name": "English", "name": "English"},
        {"iso_639_1": "cn", "english_name": "Cantonese", "name": "粤语"},
        {"iso_639_1": "xx", "english_name": "No Language", "name": "No Language"},
        {"iso_639_1": "aa", "english_name": "Afar", "name": ""},
    ],
}
#: The same later on: in another order, some dropped, some new, some with another name.
LISTS_LATER: Final[dict[str, Any]] = {
    "/genre/movie/list": {"genres": [{"id": 35, "name": "Comedies"}, {"id": 18, "name": "Drama"}]},
    "/configuration/countries": [
        {"iso_3166_1": "US", "english_name": "United States", "native_name": ""},
        {"iso_3166_1": "AQ", "english_name": "Antarctica", "native_name": "Antarctica"},
        {"iso_3166_1": "CH", "english_name": "Switzerland", "native_name": "Schweiz"},
    ],
    "/configuration/languages": [
        {"iso_639_1": "xx", "english_name": "No Language", "name": "No Language"},
        {"iso_639_1": "en", "english_name": "English", "name": "English"},
        {"iso_639_1": "aa", "english_name": "Afar", "name": "Afar"},
    ],
}


class World:
    """The films of `days` days from `first` on, drawn by `seed`; a `demo.source.Source`.

    The first day has `films` films with the ids 1, 2, …; `GHOST` is listed but was never there.
    """

    GHOST: Final = 999_999
    moves_between_pages = False

    def __init__(self, first: dt.date, days: int, films: int, seed: int) -> None:
        self._draw = random.Random(seed)
        self._last_id = films
        self._era = ""
        #: day → film → its payload with credits and keywords
        self.days: dict[int, dict[int, Film]] = {}
        #: day → ids that lists still have although the films are gone
        self._listed_gone: dict[int, set[int]] = {}
        today = {id_: self._new_film(id_, first) for id_ in range(1, films + 1)}
        for number in range(days):
            date = first + dt.timedelta(days=number)
            self._era = " Pictures" if number > days // 2 else ""
            gone: set[int] = set()
            if number:
                today = {id_: self._a_day_later(film) for id_, film in today.items()}
                gone = self._come_and_go(number, date, today)
            self.days[date.toordinal()] = today
            self._listed_gone[date.toordinal()] = gone | {self.GHOST}

    # --- what happens ---------------------------------------------------------------------------------------

    def _come_and_go(self, number: int, date: dt.date, films: dict[int, Film]) -> set[int]:
        """Films announced, deleted, merged and back again; those gone today are listed for one day more."""
        draw, gone = self._draw, set()
        if number % 2:
            self._last_id += 1
            films[self._last_id] = self._new_film(self._last_id, date)
        if number % 3 == 0:
            id_ = draw.choice(sorted(films))
            gone.add(id_)
            if number % 2:  # merged: another id takes over
                self._last_id += 1
                films[self._last_id] = {**films[id_], "id": self._last_id}
            del films[id_]
        if number % 5 == 0:  # deleted by mistake some days ago, and restored
            before = self.days[date.toordinal() - 5]
            for id_ in sorted(before.keys() - films.keys())[:1]:
                films[id_] = copy.deepcopy(before[id_])
        return gone

    def _a_day_later(self, film: Film) -> Film:
        """The measures move, and now and then something else."""
        draw = self._draw
        film = copy.deepcopy(film)
        film["popularity"] = round(film["fame"] * draw.uniform(0.6, 1.5), 4)
        film["fame"] *= draw.uniform(0.95, 1.04)
        if film["vote_count"]:
            film["vote_count"] += draw.randrange(3)
            film["vote_average"] = round(min(10.0, film["vote_average"] * draw.uniform(0.99, 1.01)), 3)
        elif not draw.randrange(20):
            film["vote_count"], film["vote_average"] = 1, 10.0
        for company in film["production_companies"]:
            if company["id"] % 3 == 0:
                company["name"] = f"Company {company['id'] // 2}{self._era}"
        match draw.randrange(30):
            case 0:
                film["title"] += " (restored)"
            case 1:
                film["genres"] = []
            case 2:
                film["genres"] = [{"id": 18, "name": "Drama"}, {"id": 18, "name": "Drama"}]
            case 3:
                film["production_companies"] = [self._company()]
            case 4:
                film["budget"] = 0
            case 5:
                film["original_language"] = "zu"
            case 6:
                film["credits"]["cast"] = self._cast(film["id"])
            case 7:
                film["credits"]["crew"] = self._crew(film["id"])
            case 8:
                film["credits"] = {"cast": [], "crew": []}
            case 9:
                film["keywords"]["keywords"] = film["keywords"]["keywords"][1:]
            case 10:
                film["belongs_to_collection"] = self._collection()
            case 11:
                film["fame"] /= 8  # leaves the popular pages
            case 12:
                film["fame"] *= 4
            case 13 | 14:
                self._reshuffle(film)
        return film

    def _reshuffle(self, film: Film) -> None:
        """The same lists in another order, which changes nothing."""
        lists = (film["genres"], film["production_companies"], film["production_countries"])
        credits = film["credits"]
        for each in (*lists, film["spoken_languages"], credits["cast"], credits["crew"]):
            self._draw.shuffle(each)

    def correct(self, date: dt.date, change: Callable[[int, Film], Film | None]) -> None:
        """Alter a day's films after the fact: `change` gives a film's new payload, None where it is gone."""
        day = date.toordinal()
        changed = {id_: change(id_, copy.deepcopy(film)) for id_, film in self.days[day].items()}
        self.days[day] = {id_: film for id_, film in changed.items() if film}

    # --- what films are made of -----------------------------------------------------------------------------

    def _new_film(self, id_: int, date: dt.date) -> Film:
        draw = self._draw
        votes = draw.choice([0, draw.randrange(20_000)])
        fame = 300 / (1 + draw.randrange(60))
        released = (date + dt.timedelta(days=draw.randrange(-200, 200))).isoformat()
        return {
            "id": id_,
            "fame": fame,
            "title": draw.choice([f"Film {id_}", f"Film {id_}", ""]),
            "original_title": draw.choice([f"Film {id_}", f"Le Cine\u0301ma {id_}", ""]),
            "original_language": draw.choice(["en", "xx", "cn", "qq", ""]),
            "release_date": draw.choice(["", "1898-01-01", released, released]),
            "status": draw.choice(["Released", "Planned"]),
            "runtime": draw.choice([0, 90, 90.0, None]),
            "budget": draw.choice([0, 7, 237_000_000, 88_000_000, 5_000_000_000]),
            "revenue": draw.choice([0, 999, 2_923_706_026, 99_999_999_999]),
            "imdb_id": draw.choice(["", None, f"tt{id_:07}"]),
            "tagline": draw.choice(["", "Some doors open once."]),
            "overview": draw.choice(["", "Two lines.\r\nThe second."]),
            "homepage": "",
            "poster_path": draw.choice([None, f"/{id_}.jpg"]),
            "backdrop_path": None,
            "adult": False,
            "video": False,
            "genres": self._some(GENRES, "id", "name"),
            "production_companies": [self._company() for _ in range(draw.randrange(3))],
            "production_countries": self._some(COUNTRIES, "iso_3166_1", "name"),
            "spoken_languages": self._some(LANGUAGES, "iso_639_1", "english_name", "name"),
            "popularity": round(fame, 4),
            "vote_average": round(draw.uniform(0, 10), 3) if votes else 0.0,
            "vote_count": votes,
            "belongs_to_collection": draw.choice([None, None, self._collection()]),
            "credits": {"cast": self._cast(id_), "crew": self._crew(id_)},
            "keywords": {"keywords": self._some([(id_, f"keyword {id_}") for id_ in KEYWORDS], "id", "name")},
        }

    def _some(self, rows: Sequence[tuple[Any, ...]], *keys: str) -> list[Film]:
        chosen = self._draw.sample(rows, self._draw.randrange(len(rows)))
        return [dict(zip(keys, row, strict=True)) for row in chosen]

    def _company(self) -> Film:
        """Two ids share each name."""
        id_ = self._draw.randrange(1, 40)
        return {"id": id_, "name": f"Company {id_ // 2}{self._era}", "logo_path": None, "origin_country": ""}

    def _collection(self) -> Film:
        id_ = self._draw.randrange(1, 6)
        return {
            "id": id_,
            "name": f"Saga {id_}{self._era}",
            "poster_path": f"/{id_}.jpg",
            "backdrop_path": None,
        }

    def _person(self) -> Film:
        """Some have a new portrait in the new era."""
        id_ = self._draw.randrange(60)
        return {
            "id": id_,
            "name": f"Person {id_ // 2}",
            "original_name": f"Personne {id_}",
            "gender": id_ % 4,
            "known_for_department": "Acting" if id_ % 3 else None,
            "profile_path": f"/{id_}{self._era if id_ % 2 else ''}.jpg",
        }

    def _cast(self, film: int) -> list[Film]:
        """Parts, some of them by one person, some beyond the principal ones."""
        return [
            {
                **self._person(),
                "credit_id": f"{film}-{order}",
                "character": self._draw.choice(["", "Ann"]),
                "order": order,
            }
            for order in range(self._draw.choice([0, 2, 4, 13]))
        ]

    def _crew(self, film: int) -> list[Film]:
        """Jobs; the director may write as well."""
        jobs = [("Directing", "Director"), ("Writing", "Screenplay"), ("Sound", "Boom Operator")]
        return [
            {**self._person(), "credit_id": f"{film}-{job}", "department": department, "job": job}
            for department, job in self._draw.sample(jobs, self._draw.randrange(4))
        ]

    # --- as the stand-in asks for it ------------------------------------------------------------------------

    def film(self, film_id: int, day: int) -> Film | None:
        film = self.days[day].get(film_id)
        return None if film is None else {k: v for k, v in film.items() if k not in BLOCKS and k != "fame"}

    def body(self, film_id: int, day: int) -> bytes | None:
        film = self.film(film_id, day)
        return None if film is None else orjson.dumps(film)

    def block(self, name: str, film_id: int, day: int) -> bytes | None:
        block = self.days[day].get(film_id, {}).get(name)
        return None if block is None else orjson.dumps(block)

    def listed(self, film_id: int, day: int) -> Film:
        for other in (day, day - 1):
            if film := self.days.get(other, {}).get(film_id):
                return film
        return {"id": film_id, "popularity": 1000.0}

    def ranking(self, query: Query, day: int) -> Ranking:
        ids = [*self.days[day], *self._listed_gone[day]]
        ids = [id_ for id_ in ids if query.matches(self.listed(id_, day))]
        ids.sort(key=lambda id_: query.sort_key(self.listed(id_, day)))
        return Ranking(ids[:LISTED_MAX], len(ids))

    def changes(self, first: int, last: int) -> Sequence[Change]:
        """Films new, gone, or with something else than their measures changed."""
        found: dict[int, Change] = {}
        for day in range(max(first, min(self.days) + 1), last + 1):
            before, now = self.days[day - 1], self.days[day]
            for id_ in sorted(before.keys() | now.keys()):
                if id_ not in now:
                    found[id_] = Change(id_, None)
                elif id_ not in before or described(now[id_]) != described(before[id_]):
                    found[id_] = Change(id_, False)
        return list(found.values())

    def export(self, day: int) -> Iterator[Film]:
        for id_, film in sorted(self.days[day].items()):
            keys = ("adult", "original_title", "popularity", "video")
            yield {"id": id_, **{key: film[key] for key in keys}}


def described(film: Film) -> Film:
    """A film without its measures."""
    return {key: value for key, value in film.items() if key not in (*MEASURES, "fame")}
