"""What the tables must hold, worked out from TMDB's answers in plain Python, without a look at the SQL.

`Tables` has a method for each table of the marts, and `tests.dbt_project.expected_views` one for each view:
of its name, giving all its rows with all their columns but the lineage.
"""

import csv
import datetime as dt
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


def text(value: Any) -> str | None:
    """Text in composed Unicode; nothing for ''."""
    return unicodedata.normalize("NFC", value) or None if isinstance(value, str) else None


def known(value: Any) -> int | None:
    """A whole number; nothing for 0."""
    return int(value) or None if isinstance(value, int | float) else None


def day_of(value: Any) -> dt.date | None:
    """A date; nothing for ''."""
    return dt.date.fromisoformat(value) if value else None


def decimal(value: Any, places: int) -> Decimal | None:
    """A number rounded as SQL's numeric does."""
    if value is None:
        return None
    return Decimal(str(value)).quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)


def mean(values: Iterable[Any], places: int) -> Decimal | None:
    """The mean of the known values, as SQL's avg."""
    there = [value for value in values if value is not None]
    return decimal(Decimal(sum(there)) / len(there), places) if there else None


def days_before(days: Iterable[dt.date], day: dt.date, count: int) -> dt.date | None:
    """The last of ``days`` that is at least ``count`` days before ``day`` and at most twice as many."""
    near = [d for d in days if count <= (day - d).days <= 2 * count]
    return max(near, default=None)


def description(film: Mapping[str, Any]) -> Row:
    """What describes a film, in the order of the columns."""
    collection = film.get("belongs_to_collection") or {}
    return {
        "title": text(film.get("title")),
        "original_title": text(film.get("original_title")),
        "original_language": text(film.get("original_language")),
        "release_date": day_of(film.get("release_date")),
        "status": text(film.get("status")),
        "runtime": known(film.get("runtime")),
        "budget": known(film.get("budget")),
        "revenue": known(film.get("revenue")),
        "imdb_id": text(film.get("imdb_id")),
        "collection_id": collection.get("id"),
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


def credits_of(row: Landed, block: str) -> dict[str, Row]:
    """credit_id → credit, of the block `cast` or `crew`."""
    listed = (row.payload.get("credits") or {}).get(block) or ()
    return {credit["credit_id"]: credit for credit in listed}


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

    def newest_with(self, *keys: str) -> dict[int, Landed]:
        """Each film's last answer whose payload has the keys."""
        return {row.resource_id: row for row in self.payloads if all(key in row.payload for key in keys)}

    def newest_list(self, resource: str) -> Any:
        """The newest list of TMDB's, or an empty one."""
        rows = [row for row in self.landed if row.resource == resource]
        return max(rows, key=lambda row: row.snapshot_date).payload if rows else []

    # --- the fact -------------------------------------------------------------------------------------------

    @cached_property
    def facts(self) -> dict[int, dict[dt.date, Row]]:
        """movie_id → day → the fact of that day."""
        result: dict[int, dict[dt.date, Row]] = defaultdict(dict)
        for row in self.payloads:
            votes = row.payload.get("vote_count")
            result[row.resource_id][row.snapshot_date] = {
                "date_id": row.snapshot_date,
                "movie_id": row.resource_id,
                "popularity": decimal(row.payload.get("popularity"), 6),
                "vote_average": decimal(row.payload.get("vote_average"), 3) if votes else None,
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
        """The last facts of the films that are not stale."""
        return {id_: fact for id_, fact in self.last_facts.items() if not self.is_stale(id_)}

    # --- films ----------------------------------------------------------------------------------------------

    @cached_property
    def films(self) -> dict[int, Row]:
        """movie_id → its row of dim_movie."""
        result = {}
        for id_, row in self.newest.items():
            said = description(row.payload)
            later = [r.snapshot_date for r in self.responses[id_] if r.snapshot_date > row.snapshot_date]
            result[id_] = {
                "movie_id": id_,
                **said,
                "title": said["title"] or said["original_title"] or f"Untitled film {id_}",
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
            said: Row | None = None
            for row in rows:
                before, said = said, description(row.payload) if row.http_status == 200 else None
                if said == before:
                    continue
                if before is not None:
                    versions[-1] |= {"valid_to": row.snapshot_date, "is_current": False}
                if said is None:
                    continue
                changed = [name for name in said if versions and said[name] != versions[-1][name]]
                kind = "first seen" if not versions else "changed" if before else "reappeared"
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

    def named(self, key: str, namings: Callable[[Landed], Iterable[Naming]]) -> dict[Any, Row]:
        """Key → its attributes as last given and `name_source`; ``namings`` has those of an answer."""
        best: dict[Any, tuple[Any, Row]] = {}
        for row in self.landed:
            if row.http_status != 200:
                continue
            for source, value, attributes in namings(row):
                evidence = (SOURCES.index(source), row.snapshot_date, row.resource_id)
                if value not in best or evidence >= best[value][0]:
                    best[value] = (evidence, {key: value, **attributes, "name_source": source})
        return {value: attributes for value, (_, attributes) in best.items()}

    def named_by_films(
        self, key: str, namings: Callable[[Landed], Iterable[tuple[Any, Row]]]
    ) -> dict[Any, Row]:
        """The same for what no list of TMDB's has."""

        def by_film(row: Landed) -> Iterable[Naming]:
            if row.resource == "movie":
                for value, attributes in namings(row):
                    yield "film", value, attributes

        rows = self.named(key, by_film)
        return {value: {k: v for k, v in row.items() if k != "name_source"} for value, row in rows.items()}

    @cached_property
    def genres(self) -> dict[int, Row]:
        """genre_id → its row of dim_genre."""

        def namings(row: Landed) -> Iterable[Naming]:
            if row.resource in ("genre_list", "movie"):
                for genre in row.payload.get("genres") or ():
                    source = "list" if row.resource == "genre_list" else "film"
                    yield source, genre["id"], {"name": text(genre["name"])}

        listed = {genre["id"] for genre in (self.newest_list("genre_list") or {"genres": []})["genres"]}
        rows = self.named("genre_id", namings)
        return {key: {**row, "is_listed": key in listed} for key, row in rows.items()}

    def dim_genre(self) -> list[Row]:
        return list(self.genres.values())

    @cached_property
    def companies(self) -> dict[int, Row]:
        """company_id → its row of dim_company."""

        def namings(row: Landed) -> Iterable[tuple[int, Row]]:
            for company in row.payload.get("production_companies") or ():
                names = ("name", "logo_path", "origin_country")
                yield company["id"], {name: text(company.get(name)) for name in names}

        return self.named_by_films("company_id", namings)

    def dim_company(self) -> list[Row]:
        return list(self.companies.values())

    @cached_property
    def countries(self) -> dict[str, Row]:
        """iso_3166_1 → its row of dim_country."""

        def namings(row: Landed) -> Iterable[Naming]:
            if row.resource == "country_list":
                for country in row.payload:
                    code = country["iso_3166_1"]
                    names = {"name": text(country["english_name"]) or code}
                    yield "list", code, {**names, "native_name": text(country.get("native_name"))}
            elif row.resource == "movie":
                for country in row.payload.get("production_countries") or ():
                    code = country["iso_3166_1"]
                    yield "film", code, {"name": text(country["name"]) or code, "native_name": None}

        with REGIONS.open(newline="", encoding="utf-8") as file:
            regions = {row["iso_3166_1"]: row for row in csv.DictReader(file)}
        listed = {country["iso_3166_1"] for country in self.newest_list("country_list")}
        return {
            code: {
                **row,
                "continent": regions.get(code, {}).get("continent"),
                "region": regions.get(code, {}).get("region"),
                "is_listed": code in listed,
            }
            for code, row in self.named("iso_3166_1", namings).items()
        }

    def dim_country(self) -> list[Row]:
        return list(self.countries.values())

    @cached_property
    def languages(self) -> dict[str, Row]:
        """iso_639_1 → its row of dim_language."""

        def names(language: Row) -> Row:
            english, native = text(language.get("english_name")), text(language.get("name"))
            return {"name": english or native or language["iso_639_1"], "native_name": native}

        def namings(row: Landed) -> Iterable[Naming]:
            if row.resource == "language_list":
                for language in row.payload:
                    yield "list", language["iso_639_1"], names(language)
            elif row.resource == "movie":
                for language in row.payload.get("spoken_languages") or ():
                    yield "film", language["iso_639_1"], names(language)
                if code := row.payload.get("original_language"):
                    yield "code", code, {"name": code, "native_name": None}

        listed = {language["iso_639_1"] for language in self.newest_list("language_list")}
        rows = self.named("iso_639_1", namings)
        return {code: {**row, "is_listed": code in listed} for code, row in rows.items()}

    def dim_language(self) -> list[Row]:
        return list(self.languages.values())

    @cached_property
    def people(self) -> dict[int, Row]:
        """person_id → their row of dim_person."""

        def namings(row: Landed) -> Iterable[tuple[int, Row]]:
            said: dict[int, list[Row]] = defaultdict(list)
            for credit in (*credits_of(row, "cast").values(), *credits_of(row, "crew").values()):
                names = ("name", "original_name", "known_for_department", "profile_path")
                attributes = {name: text(credit.get(name)) for name in names}
                said[credit["id"]].append({**attributes, "gender": GENDERS.get(credit.get("gender") or 0)})
            for id_, descriptions in said.items():
                # someone's credits in one film may differ: of each attribute the one last in order counts
                yield (
                    id_,
                    {
                        name: max(filter(None, (said[name] for said in descriptions)), default=None)
                        for name in descriptions[0]
                    },
                )

        return self.named_by_films("person_id", namings)

    def dim_person(self) -> list[Row]:
        return list(self.people.values())

    def dim_keyword(self) -> list[Row]:
        def namings(row: Landed) -> Iterable[tuple[int, Row]]:
            if "credits" in row.payload:
                for keyword in (row.payload.get("keywords") or {}).get("keywords") or ():
                    yield keyword["id"], {"name": text(keyword["name"])}

        return list(self.named_by_films("keyword_id", namings).values())

    @cached_property
    def collections(self) -> dict[int, Row]:
        """collection_id → its row of dim_collection."""

        def namings(row: Landed) -> Iterable[tuple[int, Row]]:
            if collection := row.payload.get("belongs_to_collection"):
                names = ("name", "poster_path", "backdrop_path")
                yield collection["id"], {name: text(collection.get(name)) for name in names}

        return self.named_by_films("collection_id", namings)

    def dim_collection(self) -> list[Row]:
        return list(self.collections.values())

    def dim_date(self) -> list[Row]:
        days = [row.snapshot_date for rows in self.responses.values() for row in rows]
        first = min(FIRST_DATE, min(days).replace(month=1, day=1))
        last = dt.date(max(self.today.year + 1, max(days).year), 12, 31)
        return [date_row(first + dt.timedelta(days=n)) for n in range((last - first).days + 1)]

    # --- bridges --------------------------------------------------------------------------------------------

    def members(self, field: str, key: str) -> set[tuple[int, Any]]:
        """(movie_id, member) for the members in ``field`` of each film's last payload."""
        return {
            (id_, member[key])
            for id_, row in self.newest.items()
            for member in row.payload.get(field) or ()
            if member[key] not in (None, "")
        }

    @cached_property
    def movie_genre(self) -> set[tuple[int, int]]:
        """Films and their genres."""
        return self.members("genres", "id")

    @cached_property
    def movie_company(self) -> set[tuple[int, int]]:
        """Films and their companies."""
        return self.members("production_companies", "id")

    @cached_property
    def movie_country(self) -> set[tuple[int, str]]:
        """Films and their countries."""
        return self.members("production_countries", "iso_3166_1")

    def bridge_movie_genre(self) -> list[Row]:
        return [{"movie_id": movie, "genre_id": genre} for movie, genre in self.movie_genre]

    def bridge_movie_company(self) -> list[Row]:
        return [{"movie_id": movie, "company_id": company} for movie, company in self.movie_company]

    def bridge_movie_country(self) -> list[Row]:
        return [{"movie_id": movie, "iso_3166_1": code} for movie, code in self.movie_country]

    def bridge_movie_language(self) -> list[Row]:
        spoken = self.members("spoken_languages", "iso_639_1")
        return [{"movie_id": movie, "iso_639_1": code} for movie, code in spoken]

    def bridge_movie_keyword(self) -> list[Row]:
        return [
            {"movie_id": id_, "keyword_id": keyword}
            for id_, row in self.newest_with("credits", "keywords").items()
            for keyword in {keyword["id"] for keyword in row.payload["keywords"]["keywords"]}
        ]

    def bridge_movie_cast(self) -> list[Row]:
        return [
            {
                "movie_id": id_,
                "credit_id": credit_id,
                "person_id": credit["id"],
                "character_name": text(credit["character"]),
                "cast_order": credit["order"],
            }
            for id_, row in self.newest_with("credits").items()
            for credit_id, credit in credits_of(row, "cast").items()
        ]

    def bridge_movie_crew(self) -> list[Row]:
        return [
            {
                "movie_id": id_,
                "credit_id": credit_id,
                "person_id": credit["id"],
                "department": text(credit["department"]),
                "job": text(credit["job"]),
            }
            for id_, row in self.newest_with("credits").items()
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
            for genre_id in {genre["id"] for genre in row.payload.get("genres") or ()}:
                films[genre_id, row.snapshot_date].append(self.facts[row.resource_id][row.snapshot_date])
        result: dict[int, dict[dt.date, Row]] = defaultdict(dict)
        for (genre_id, day), facts in films.items():
            result[genre_id][day] = {
                "date_id": day,
                "genre_id": genre_id,
                "movie_count": len(facts),
                "avg_popularity": mean((fact["popularity"] for fact in facts), 6),
                "total_votes": sum(fact["vote_count"] for fact in facts),
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
                "total_votes": sum(fact["vote_count"] for fact in facts),
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
