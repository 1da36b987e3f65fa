"""What the tables must hold, worked out from TMDB's answers in plain Python, without a look at the SQL.

`Tables` has a method for each table of the marts, and `tests.dbt_project.expected_views` one for each view:
of its name, giving all its rows with all their columns but the lineage.
"""

import csv
import datetime as dt
import html
import json
import re
import unicodedata
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from decimal import ROUND_HALF_UP, Decimal
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

REGIONS = Path(__file__).resolve().parents[2] / "dbt_project" / "seeds" / "country_region.csv"
FIRST_DATE = dt.date(2000, 1, 1)
STALE_AFTER = dt.timedelta(days=30)
PRINCIPAL_CAST = 10
#: What cannot be read: white space, controls, and characters that show nothing.
BLANKS = "".join(
    chr(point)
    for points in (
        range(1, 0x21), range(0x7F, 0xA1), (0xAD, 0x34F, 0x61C, 0x115F, 0x1160, 0x1680, 0x17B4, 0x17B5),
        range(0x180B, 0x1810), range(0x2000, 0x2010), range(0x2028, 0x2030), range(0x205F, 0x2070),
        (0x2800, 0x3000, 0x3164), range(0xFE00, 0xFE10), (0xFEFF, 0xFFA0),
    )
    for point in points
)  # fmt: skip
#: What a payload has beside what describes the film.
UNDESCRIPTIVE = {
    "popularity", "vote_average", "vote_count", "account_states", "alternative_titles", "changes", "credits",
    "external_ids", "images", "keywords", "lists", "recommendations", "release_dates", "reviews", "similar",
    "translations", "videos", "watch/providers",
}  # fmt: skip
#: What of a film's description comes in the language asked for.
TRANSLATED = {
    "title", "collection_name", "tagline", "overview", "homepage", "poster_path", "backdrop_path",
}  # fmt: skip
MONEY = 10**18 - 1
GENDERS = {1: "Female", 2: "Male", 3: "Non-binary"}

Row = dict[str, Any]
Naming = tuple[str, Any, Row]

#: Who may name something; the one further on counts for more.
SOURCES = ("code", "film", "list")


class Landed(NamedTuple):
    """An answer of TMDB's for a date, as the landing zone has it."""

    resource: str
    snapshot_date: dt.date
    resource_id: int
    http_status: int
    payload: Any
    language: str = "en-US"


def text(value: Any) -> str | None:
    """Text in composed Unicode, its HTML entities decoded; nothing where it is blank, or no text."""
    if not isinstance(value, str):
        return None
    decoded = re.sub(
        r"&(#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]*);", lambda m: html.unescape(m[0]), value
    )
    return unicodedata.normalize("NFC", decoded) if decoded.strip(BLANKS) else None


def number(value: Any, least: int, most: int) -> Decimal | None:
    """A number, or the text of one; nothing where it is none, or not between the two."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    written = value if isinstance(value, str) else f"{Decimal(str(value)):f}"
    if not re.fullmatch(r"[+-]?\d{1,18}(\.\d+)?", written, re.ASCII):
        return None
    return Decimal(written) if least <= Decimal(written) <= most else None


def whole(value: Any, least: int = 0, most: int = 2**31 - 1) -> int | None:
    """A whole number, rounded as SQL does."""
    known = number(value, -(10**18), 10**18)
    rounded = None if known is None else int(known.quantize(Decimal(1), ROUND_HALF_UP))
    return rounded if rounded is not None and least <= rounded <= most else None


def id_of(value: Any) -> int | None:
    """TMDB's number of a thing: nothing where it is no whole number."""
    known = number(value, 1, 10**18 - 1)
    return int(known) if known is not None and known == int(known) else None


def key_of(value: Any, longest: int = 40) -> str | None:
    """A text that is part of a key: nothing where it is longer than any key."""
    return text(value) if isinstance(value, str) and len(value) <= longest else None


def known(value: Any, most: int = 2**31 - 1) -> int | None:
    """A whole number; nothing for 0."""
    return whole(value, 0, most) or None


def day_of(value: Any) -> dt.date | None:
    """A date from 1800 on; nothing for anything else."""
    if not isinstance(value, str) or not re.fullmatch(r"(1[89]|[2-9]\d)\d\d-\d\d-\d\d", value, re.ASCII):
        return None
    try:
        return dt.date.fromisoformat(value)
    except ValueError:
        return None


def members(holder: Any, field: str, key: Callable[[Any], Any]) -> dict[Any, list[Row]]:
    """The objects in a list by their key: those without one, and what is no list, are not there."""
    result: dict[Any, list[Row]] = defaultdict(list)
    listed = holder.get(field) if isinstance(holder, dict) else None
    for member in listed if isinstance(listed, list) else ():
        if isinstance(member, dict) and (value := key(member)) is not None:
            result[value].append(member)
    return result


def greatest(rows: Iterable[Row], name: str) -> str | None:
    """Of what several rows say, the last in the order of letters."""
    return max(filter(None, (text(row.get(name)) for row in rows)), default=None)


def decimal(value: Any, places: int) -> Decimal | None:
    """A number rounded as SQL's numeric does."""
    if value is None:
        return None
    return Decimal(str(value)).quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)


def mean(values: Iterable[Any], places: int) -> Decimal | None:
    """The mean of the known values, as SQL's avg."""
    there = [value for value in values if value is not None]
    return decimal(Decimal(sum(there)) / len(there), places) if there else None


def total(values: Iterable[Any]) -> Any:
    """The sum of the known values, as SQL's sum."""
    there = [value for value in values if value is not None]
    return sum(there) if there else None


def days_before(days: Iterable[dt.date], day: dt.date, count: int) -> dt.date | None:
    """The last of ``days`` that is at least ``count`` days before ``day`` and at most twice as many."""
    near = [d for d in days if count <= (day - d).days <= 2 * count]
    return max(near, default=None)


def description(film: Mapping[str, Any], id_: int) -> Row:
    """What describes a film, in the order of the columns."""
    collection = film.get("belongs_to_collection")
    collection = collection if isinstance(collection, dict) and id_of(collection.get("id")) else {}
    original = text(film.get("original_title"))
    return {
        "title": text(film.get("title")) or original or f"Untitled film {id_}",
        "original_title": original,
        "original_language": key_of(film.get("original_language")),
        "release_date": day_of(film.get("release_date")),
        "status": text(film.get("status")),
        "runtime": known(film.get("runtime")),
        "budget": known(film.get("budget"), MONEY),
        "revenue": known(film.get("revenue"), MONEY),
        "imdb_id": text(film.get("imdb_id")),
        "collection_id": id_of(collection.get("id")),
        "collection_name": text(collection.get("name")),
        "tagline": text(film.get("tagline")),
        "overview": text(film.get("overview")),
        "homepage": text(film.get("homepage")),
        "poster_path": text(film.get("poster_path")),
        "backdrop_path": text(film.get("backdrop_path")),
        "is_adult": film.get("adult") is True,
        "is_video": film.get("video") is True,
    }


def suspect(amount: int | None, most: int) -> bool:
    """Whether an amount of money is less than anybody spends or earns on a film, or more than anybody has."""
    return amount is not None and not 1000 <= amount <= most


def content(row: Landed) -> Any:
    """All that an answer says of a film but its measures and blocks."""
    said = {name: value for name, value in row.payload.items() if name not in UNDESCRIPTIVE}
    return json.dumps(said, sort_keys=True)


def has_credits(payload: Any) -> bool:
    """Whether a payload has both lists of credits."""
    block = payload.get("credits")
    return isinstance(block, dict) and all(isinstance(block.get(name), list) for name in ("cast", "crew"))


def has_keywords(payload: Any) -> bool:
    """Whether a payload has the list of keywords."""
    block = payload.get("keywords")
    return isinstance(block, dict) and isinstance(block.get("keywords"), list)


def credits_content(row: Landed) -> Any:
    """Who has a credit; the popularity of people is none of it."""
    block = row.payload["credits"]
    return json.dumps(
        [
            [
                {k: v for k, v in c.items() if k != "popularity"} if isinstance(c, dict) else None
                for c in block[name]
            ]
            for name in ("cast", "crew")
        ],
        sort_keys=True,
    )


def keywords_content(row: Landed) -> Any:
    """The keywords."""
    return json.dumps(row.payload["keywords"]["keywords"], sort_keys=True)


def credits_of(row: Landed, block: str) -> dict[str, Row]:
    """credit_id → credit, of the block `cast` or `crew`: the first of those with one id."""

    def order(credit: Row) -> tuple[Any, ...]:
        def last(value: Any) -> tuple[bool, Any]:
            return value is None, value

        words = ("character",) if block == "cast" else ("department", "job")
        place = (last(whole(credit.get("order"))),) if block == "cast" else ()
        return *place, id_of(credit.get("id")), *(last(text(credit.get(word))) for word in words)

    listed = members(row.payload["credits"], block, lambda credit: key_of(credit.get("credit_id")))
    people = {id_: [c for c in said if id_of(c.get("id")) is not None] for id_, said in listed.items()}
    return {id_: min(said, key=order) for id_, said in people.items() if said}


class Tables:
    """The tables after all of ``landed``; ``today`` is the day on which dbt runs."""

    def __init__(self, landed: Iterable[Landed], today: dt.date) -> None:
        self.landed = list(landed)
        self.today = today

    # --- answers --------------------------------------------------------------------------------------------

    @cached_property
    def responses(self) -> dict[int, list[Landed]]:
        """Each film's answers, oldest first."""
        result: dict[int, list[Landed]] = defaultdict(list)
        for row in self.landed:
            if row.resource == "movie":
                result[row.resource_id].append(row)
        return {id_: sorted(rows, key=lambda row: row.snapshot_date) for id_, rows in result.items()}

    @cached_property
    def payloads(self) -> list[Landed]:
        """The answers that have a film, oldest first."""
        return [row for rows in self.responses.values() for row in rows if row.http_status == 200]

    @cached_property
    def newest(self) -> dict[int, Landed]:
        """Each film's last answer with a payload."""
        return {row.resource_id: row for row in self.payloads}

    def newest_with(self, has: Callable[[Any], bool]) -> dict[int, Landed]:
        """Each film's last answer that has a block."""
        return {row.resource_id: row for row in self.payloads if has(row.payload)}

    def lists(self, resource: str) -> list[tuple[dt.date, list[Row]]]:
        """TMDB's lists that name anything, oldest first: their dates and what they name."""
        key = {"genre_list": "id", "country_list": "iso_3166_1", "language_list": "iso_639_1"}[resource]
        found = []
        for row in sorted((r for r in self.landed if r.resource == resource), key=lambda r: r.snapshot_date):
            holder = row.payload if resource == "genre_list" else {"genres": row.payload}
            of_key = members(
                holder, "genres", lambda m: id_of(m.get(key)) if key == "id" else key_of(m.get(key))
            )
            if of_key:
                found.append(
                    (row.snapshot_date, [{**said[0], "key": value} for value, said in of_key.items()])
                )
        return found

    def listed(self, resource: str) -> set[Any]:
        """What TMDB's newest list names."""
        lists = self.lists(resource)
        return {row["key"] for row in lists[-1][1]} if lists else set()

    # --- the fact -------------------------------------------------------------------------------------------

    @cached_property
    def facts(self) -> dict[int, dict[dt.date, Row]]:
        """movie_id → day → the fact of that day."""
        result: dict[int, dict[dt.date, Row]] = defaultdict(dict)
        for row in self.payloads:
            votes = whole(row.payload.get("vote_count"))
            popularity = number(row.payload.get("popularity"), 0, 99_999_999)
            rating = number(row.payload.get("vote_average"), 0, 10)
            result[row.resource_id][row.snapshot_date] = {
                "date_id": row.snapshot_date,
                "movie_id": row.resource_id,
                "popularity": decimal(popularity, 6),
                "vote_average": decimal(rating, 3) if votes else None,
                "vote_count": votes,
            }
        return result

    def fact_movie_daily(self) -> list[Row]:
        return [fact for days in self.facts.values() for fact in days.values()]

    @cached_property
    def last_facts(self) -> dict[int, Row]:
        """Each film's last fact."""
        return {id_: days[max(days)] for id_, days in self.facts.items()}

    @cached_property
    def newest_date(self) -> dt.date:
        """The day of the newest fact of all."""
        newest: dt.date = max(fact["date_id"] for fact in self.last_facts.values())
        return newest

    def is_stale(self, movie_id: int) -> bool:
        """Whether a film was last seen so long ago that its measures are not today's."""
        return bool(self.newest_date - self.last_facts[movie_id]["date_id"] > STALE_AFTER)

    @cached_property
    def current(self) -> dict[int, Row]:
        """The last facts of the films that are neither stale nor gone."""
        return {
            id_: fact
            for id_, fact in self.last_facts.items()
            if not self.is_stale(id_) and self.films[id_]["vanished_on"] is None
        }

    # --- films ----------------------------------------------------------------------------------------------

    @cached_property
    def films(self) -> dict[int, Row]:
        """movie_id → its row of dim_movie."""
        result = {}
        for id_, row in self.newest.items():
            said = description(row.payload, id_)
            later = [r.snapshot_date for r in self.responses[id_] if r.snapshot_date > row.snapshot_date]
            result[id_] = {
                "movie_id": id_,
                **said,
                "is_budget_suspect": suspect(said["budget"], 1_000_000_000),
                "is_revenue_suspect": suspect(said["revenue"], 6_000_000_000),
                "vanished_on": min(later, default=None),
            }
        return result

    def dim_movie(self) -> list[Row]:
        return list(self.films.values())

    def dim_movie_history(self) -> list[Row]:
        result = []
        for id_, rows in self.responses.items():
            versions: list[Row] = []
            last: Row | None = None
            language = ""
            is_there = False
            for row in rows:
                if row.http_status != 200:
                    if is_there:
                        versions[-1] |= {"valid_to": row.snapshot_date, "is_current": False}
                    is_there = False
                    continue
                said = description(row.payload, id_)
                # in another language what is translated says nothing
                same = {name for name in said if row.language == language or name not in TRANSLATED}
                changed = [name for name in said if last and name in same and said[name] != last[name]]
                last, language = said, row.language
                if is_there and not changed:
                    versions[-1] |= said
                    continue
                if is_there:
                    versions[-1] |= {"valid_to": row.snapshot_date, "is_current": False}
                kind = "first seen" if not versions else "changed" if is_there else "reappeared"
                is_there = True
                version = {
                    "movie_id": id_,
                    "valid_from": row.snapshot_date,
                    "valid_to": None,
                    "is_current": True,
                }
                why = {"change_kind": kind, "changed_columns": ", ".join(changed) or None}
                versions.append({**version, **why, **said})
            result += versions
        return result

    # --- what films name ------------------------------------------------------------------------------------

    def named(
        self,
        key: str,
        namings: Callable[[Landed], Iterable[Naming]],
        lists: Iterable[tuple[dt.date, Any, Row]] = (),
        says: Callable[[Landed], Any] = content,
        has: Callable[[Any], bool] = lambda payload: True,
    ) -> dict[Any, Row]:
        """Key → its attributes and `name_source`, by the best evidence.

        That is, in this order: what has a name; TMDB's ``lists`` before films; what a film says today; what
        was first said last; the film with the higher id. ``namings`` has what an answer names, ``says`` the
        part of it that was said.
        """
        evidence: dict[Any, list[tuple[Any, Row]]] = defaultdict(list)
        for date, value, attributes in lists:
            rank = (attributes["name"] is not None, SOURCES.index("list"), True, date, 0)
            evidence[value].append((rank, {**attributes, "name_source": "list"}))
        first: dict[tuple[int, Any], dt.date] = {}
        today: dict[int, Any] = {}
        for row in self.payloads:
            if has(row.payload):
                first.setdefault((row.resource_id, says(row)), row.snapshot_date)
                today[row.resource_id] = says(row)
        for row in self.payloads:
            if has(row.payload) and first[row.resource_id, says(row)] == row.snapshot_date:
                is_current = today[row.resource_id] == says(row)
                for source, value, attributes in namings(row):
                    named = attributes["name"] is not None
                    rank = (named, SOURCES.index(source), is_current, row.snapshot_date, row.resource_id)
                    evidence[value].append((rank, {**attributes, "name_source": source}))
        return {value: {key: value, **max(said, key=lambda e: e[0])[1]} for value, said in evidence.items()}

    def named_by_films(
        self, key: str, namings: Callable[[Landed], Iterable[tuple[Any, Row]]], **options: Any
    ) -> dict[Any, Row]:
        """The same for what no list of TMDB's has."""
        rows = self.named(key, lambda row: (("film", *naming) for naming in namings(row)), **options)
        return {value: {k: v for k, v in row.items() if k != "name_source"} for value, row in rows.items()}

    @cached_property
    def genres(self) -> dict[int, Row]:
        """genre_id → its row of dim_genre."""

        def namings(row: Landed) -> Iterable[Naming]:
            for id_, said in members(row.payload, "genres", lambda genre: id_of(genre.get("id"))).items():
                yield "film", id_, {"name": greatest(said, "name")}

        lists = [
            (date, genre["key"], {"name": text(genre.get("name"))})
            for date, listed in self.lists("genre_list")
            for genre in listed
        ]
        rows = self.named("genre_id", namings, lists)
        return {key: {**row, "is_listed": key in self.listed("genre_list")} for key, row in rows.items()}

    def dim_genre(self) -> list[Row]:
        return list(self.genres.values())

    @cached_property
    def companies(self) -> dict[int, Row]:
        """company_id → its row of dim_company."""

        def namings(row: Landed) -> Iterable[tuple[int, Row]]:
            sent = members(row.payload, "production_companies", lambda company: id_of(company.get("id")))
            for id_, said in sent.items():
                yield id_, {name: greatest(said, name) for name in ("name", "logo_path", "origin_country")}

        return self.named_by_films("company_id", namings)

    def dim_company(self) -> list[Row]:
        return list(self.companies.values())

    @cached_property
    def countries(self) -> dict[str, Row]:
        """iso_3166_1 → its row of dim_country."""

        def namings(row: Landed) -> Iterable[Naming]:
            sent = members(
                row.payload, "production_countries", lambda country: key_of(country.get("iso_3166_1"))
            )
            for code, said in sent.items():
                yield "film", code, {"name": greatest(said, "name"), "native_name": None}

        lists = [
            (
                date,
                country["key"],
                {"name": text(country.get("english_name")), "native_name": text(country.get("native_name"))},
            )
            for date, listed in self.lists("country_list")
            for country in listed
        ]
        with REGIONS.open(newline="", encoding="utf-8") as file:
            regions = {row["iso_3166_1"]: row for row in csv.DictReader(file)}
        return {
            code: {
                **row,
                "name": row["name"] or code,
                "continent": regions.get(code, {}).get("continent"),
                "region": regions.get(code, {}).get("region"),
                "is_listed": code in self.listed("country_list"),
            }
            for code, row in self.named("iso_3166_1", namings, lists).items()
        }

    def dim_country(self) -> list[Row]:
        return list(self.countries.values())

    @cached_property
    def languages(self) -> dict[str, Row]:
        """iso_639_1 → its row of dim_language."""

        def names(said: list[Row]) -> Row:
            native = greatest(said, "name")
            return {"name": greatest(said, "english_name") or native, "native_name": native}

        def namings(row: Landed) -> Iterable[Naming]:
            sent = members(
                row.payload, "spoken_languages", lambda language: key_of(language.get("iso_639_1"))
            )
            for code, said in sent.items():
                yield "film", code, names(said)
            if code := key_of(row.payload.get("original_language")):
                yield "code", code, {"name": None, "native_name": None}

        lists = [
            (date, language["key"], names([language]))
            for date, listed in self.lists("language_list")
            for language in listed
        ]
        rows = self.named("iso_639_1", namings, lists)
        return {
            code: {**row, "name": row["name"] or code, "is_listed": code in self.listed("language_list")}
            for code, row in rows.items()
        }

    def dim_language(self) -> list[Row]:
        return list(self.languages.values())

    @cached_property
    def people(self) -> dict[int, Row]:
        """person_id → their row of dim_person."""

        def namings(row: Landed) -> Iterable[tuple[int, Row]]:
            said: dict[int, list[Row]] = defaultdict(list)
            for credit in (*credits_of(row, "cast").values(), *credits_of(row, "crew").values()):
                said[id_of(credit["id"]) or 0].append(credit)
            for id_, credits in said.items():
                # someone's credits in one film may differ: of each attribute the one last in order counts
                names = ("name", "original_name", "known_for_department", "profile_path")
                genders = (GENDERS.get(id_of(credit.get("gender")) or 0) for credit in credits)
                gender = max(filter(None, genders), default=None)
                yield id_, {**{name: greatest(credits, name) for name in names}, "gender": gender}

        return self.named_by_films("person_id", namings, says=credits_content, has=has_credits)

    def dim_person(self) -> list[Row]:
        return list(self.people.values())

    def dim_keyword(self) -> list[Row]:
        def namings(row: Landed) -> Iterable[tuple[int, Row]]:
            sent = members(row.payload["keywords"], "keywords", lambda keyword: id_of(keyword.get("id")))
            for id_, said in sent.items():
                yield id_, {"name": greatest(said, "name")}

        rows = self.named_by_films("keyword_id", namings, says=keywords_content, has=has_keywords)
        return list(rows.values())

    @cached_property
    def collections(self) -> dict[int, Row]:
        """collection_id → its row of dim_collection."""

        def namings(row: Landed) -> Iterable[tuple[int, Row]]:
            collection = row.payload.get("belongs_to_collection")
            if isinstance(collection, dict) and (id_ := id_of(collection.get("id"))):
                names = ("name", "poster_path", "backdrop_path")
                yield id_, {name: text(collection.get(name)) for name in names}

        return self.named_by_films("collection_id", namings)

    def dim_collection(self) -> list[Row]:
        return list(self.collections.values())

    def dim_date(self) -> list[Row]:
        days = [row.snapshot_date for rows in self.responses.values() for row in rows]
        first = min(FIRST_DATE, min(days).replace(month=1, day=1))
        last = dt.date(max(self.today.year + 1, max(days).year), 12, 31)
        return [date_row(first + dt.timedelta(days=n)) for n in range((last - first).days + 1)]

    # --- bridges --------------------------------------------------------------------------------------------

    def members(self, field: str, key: Callable[[Any], Any]) -> set[tuple[int, Any]]:
        """(movie_id, member) for the members in ``field`` of each film's last payload."""
        return {
            (id_, member) for id_, row in self.newest.items() for member in members(row.payload, field, key)
        }

    @cached_property
    def movie_genre(self) -> set[tuple[int, int]]:
        """Films and their genres."""
        return self.members("genres", lambda genre: id_of(genre.get("id")))

    @cached_property
    def movie_company(self) -> set[tuple[int, int]]:
        """Films and their companies."""
        return self.members("production_companies", lambda company: id_of(company.get("id")))

    @cached_property
    def movie_country(self) -> set[tuple[int, str]]:
        """Films and their countries."""
        return self.members("production_countries", lambda country: key_of(country.get("iso_3166_1")))

    def bridge_movie_genre(self) -> list[Row]:
        return [{"movie_id": movie, "genre_id": genre} for movie, genre in self.movie_genre]

    def bridge_movie_company(self) -> list[Row]:
        return [{"movie_id": movie, "company_id": company} for movie, company in self.movie_company]

    def bridge_movie_country(self) -> list[Row]:
        return [{"movie_id": movie, "iso_3166_1": code} for movie, code in self.movie_country]

    def bridge_movie_language(self) -> list[Row]:
        spoken = self.members("spoken_languages", lambda language: key_of(language.get("iso_639_1")))
        return [{"movie_id": movie, "iso_639_1": code} for movie, code in spoken]

    def bridge_movie_keyword(self) -> list[Row]:
        return [
            {"movie_id": id_, "keyword_id": keyword}
            for id_, row in self.newest_with(has_keywords).items()
            for keyword in members(row.payload["keywords"], "keywords", lambda word: id_of(word.get("id")))
        ]

    def bridge_movie_cast(self) -> list[Row]:
        return [
            {
                "movie_id": id_,
                "credit_id": credit_id,
                "person_id": id_of(credit["id"]),
                "character_name": text(credit.get("character")),
                "cast_order": whole(credit.get("order")),
            }
            for id_, row in self.newest_with(has_credits).items()
            for credit_id, credit in credits_of(row, "cast").items()
        ]

    def bridge_movie_crew(self) -> list[Row]:
        return [
            {
                "movie_id": id_,
                "credit_id": credit_id,
                "person_id": id_of(credit["id"]),
                "department": text(credit.get("department")),
                "job": text(credit.get("job")),
            }
            for id_, row in self.newest_with(has_credits).items()
            for credit_id, credit in credits_of(row, "crew").items()
        ]

    # --- aggregates -----------------------------------------------------------------------------------------

    @cached_property
    def trends(self) -> dict[int, Row]:
        """movie_id → its row of agg_movie_trend."""
        result = {}
        for id_, last in self.last_facts.items():
            row = {**last}
            for count in (1, 7, 30):
                other = days_before(self.facts[id_], last["date_id"], count)
                then = self.facts[id_][other] if other else dict.fromkeys(last)
                for name in ("date_id", "popularity", "vote_average", "vote_count"):
                    row[f"{name}_{count}d"] = then[name]
            result[id_] = row
        return result

    def agg_movie_trend(self) -> list[Row]:
        return list(self.trends.values())

    @cached_property
    def genre_days(self) -> dict[int, dict[dt.date, Row]]:
        """genre_id → day → its row of agg_genre_daily."""
        films: dict[tuple[int, dt.date], list[Row]] = defaultdict(list)
        for row in self.payloads:
            for genre_id in members(row.payload, "genres", lambda genre: id_of(genre.get("id"))):
                films[genre_id, row.snapshot_date].append(self.facts[row.resource_id][row.snapshot_date])
        result: dict[int, dict[dt.date, Row]] = defaultdict(dict)
        for (genre_id, day), facts in films.items():
            result[genre_id][day] = {
                "date_id": day,
                "genre_id": genre_id,
                "movie_count": len(facts),
                "avg_popularity": mean((fact["popularity"] for fact in facts), 6),
                "total_votes": total(fact["vote_count"] for fact in facts),
                "avg_rating": mean((fact["vote_average"] for fact in facts), 3),
            }
        return result

    def agg_genre_daily(self) -> list[Row]:
        return [row for days in self.genre_days.values() for row in days.values()]

    @cached_property
    def person_measures(self) -> dict[int, Row]:
        """person_id → their row of agg_person_popularity."""
        parts: dict[int, dict[int, set[str]]] = defaultdict(lambda: defaultdict(set))
        for credit in self.bridge_movie_cast():
            if credit["cast_order"] is not None and credit["cast_order"] < PRINCIPAL_CAST:
                parts[credit["person_id"]][credit["movie_id"]].add("cast")
        for credit in self.bridge_movie_crew():
            if credit["job"] == "Director":
                parts[credit["person_id"]][credit["movie_id"]].add("director")
        result = {}
        for person_id, movies in parts.items():
            facts = [self.current[id_] for id_ in movies if id_ in self.current]
            if not facts:
                continue
            played = [part for id_, part in movies.items() if id_ in self.current]
            points = [f["vote_average"] * f["vote_count"] for f in facts if f["vote_average"] is not None]
            result[person_id] = {
                "person_id": person_id,
                "movie_count": len(facts),
                "cast_movie_count": sum("cast" in part for part in played),
                "directed_movie_count": sum("director" in part for part in played),
                "avg_popularity": mean((fact["popularity"] for fact in facts), 6),
                "total_votes": total(fact["vote_count"] for fact in facts),
                "avg_rating": mean((fact["vote_average"] for fact in facts), 3),
                "rating_points": decimal(sum(points), 3) if points else None,
            }
        return result

    def agg_person_popularity(self) -> list[Row]:
        return list(self.person_measures.values())


def date_row(day: dt.date) -> Row:
    """A day's row of dim_date."""
    iso = day.isocalendar()
    return {
        "date_id": day,
        "year": day.year,
        "quarter": (day.month + 2) // 3,
        "month": day.month,
        "month_name": f"{day:%B}",
        "day_of_month": day.day,
        "day_of_year": day.timetuple().tm_yday,
        "iso_year": iso.year,
        "iso_week": iso.week,
        "iso_weekday": iso.weekday,
        "weekday_name": f"{day:%A}",
        "is_weekend": iso.weekday >= 6,
    }
