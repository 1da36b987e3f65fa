"""What the marts must hold, worked out from the landed payloads in plain Python, without a look at the SQL.

Every function takes the landed responses and returns the rows of one relation without lineage, as a
dictionary from key to values or, for bridges, a set of keys.
"""

import datetime as dt
import unicodedata
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, NamedTuple

STALE_AFTER = dt.timedelta(days=30)


class Landed(NamedTuple):
    """One row of the landing zone."""

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


def decimal(value: Any, places: int) -> Decimal | None:
    """A number rounded as SQL's numeric does."""
    if value is None:
        return None
    return Decimal(str(value)).quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)


def movies(landed: Iterable[Landed]) -> dict[int, list[Landed]]:
    """Each film's responses, oldest first."""
    result: dict[int, list[Landed]] = defaultdict(list)
    for row in landed:
        if row.resource == "movie":
            result[row.resource_id].append(row)
    return {id_: sorted(rows, key=lambda row: row.snapshot_date) for id_, rows in result.items()}


def newest(landed: Iterable[Landed]) -> dict[int, Landed]:
    """Each film's last response with a payload."""
    there = {id_: [row for row in rows if row.http_status == 200] for id_, rows in movies(landed).items()}
    return {id_: rows[-1] for id_, rows in there.items() if rows}


def newest_with(landed: Iterable[Landed], *keys: str) -> dict[int, Landed]:
    """Each film's last response whose payload has the keys."""
    return newest(row for row in landed if row.http_status == 200 and all(key in row.payload for key in keys))


def fact_movie_daily(landed: Iterable[Landed]) -> dict[tuple[dt.date, int], tuple[Any, ...]]:
    """(date_id, movie_id) → popularity, vote_average, vote_count."""
    return {
        (row.snapshot_date, row.resource_id): (
            decimal(row.payload.get("popularity"), 6),
            decimal(row.payload.get("vote_average"), 3) if row.payload.get("vote_count") else None,
            row.payload.get("vote_count"),
        )
        for row in landed
        if row.resource == "movie" and row.http_status == 200
    }


def dim_movie(landed: Iterable[Landed]) -> dict[int, tuple[Any, ...]]:
    """movie_id → title, original_language, release_date, runtime, budget, revenue, imdb_id, vanished_on."""
    landed = list(landed)
    responses = movies(landed)
    result = {}
    for id_, row in newest(landed).items():
        film = row.payload
        later = [r.snapshot_date for r in responses[id_] if r.snapshot_date > row.snapshot_date]
        release = film.get("release_date")
        result[id_] = (
            text(film.get("title")),
            text(film.get("original_language")),
            dt.date.fromisoformat(release) if release else None,
            known(film.get("runtime")),
            known(film.get("budget")),
            known(film.get("revenue")),
            text(film.get("imdb_id")),
            min(later, default=None),
        )
    return result


def bridge(landed: Iterable[Landed], field: str, key: str) -> set[tuple[int, Any]]:
    """(movie_id, member) for the members in ``field`` of each film's last payload."""
    return {
        (id_, member[key])
        for id_, row in newest(landed).items()
        for member in row.payload.get(field) or ()
        if member[key] not in (None, "")
    }


def named(
    landed: Iterable[Landed],
    namings: Callable[[Landed], Iterable[tuple[int, Any, tuple[Any, ...]]]],
) -> dict[Any, tuple[Any, ...]]:
    """Key → attributes as last given; ``namings`` yields (rank, key, attributes) for a response."""
    best: dict[Any, tuple[Any, ...]] = {}
    for row in landed:
        if row.http_status != 200:
            continue
        for rank, key, attributes in namings(row):
            evidence = (rank, row.snapshot_date, row.resource_id)
            if key not in best or evidence >= best[key][0]:
                best[key] = (evidence, attributes)
    return {key: attributes for key, (_, attributes) in best.items()}


def dim_movie_history(landed: Iterable[Landed]) -> dict[tuple[int, dt.date], tuple[Any, ...]]:
    """(movie_id, valid_from) → valid_to, change_kind, changed_columns, title, budget, collection_id."""
    result = {}
    for id_, rows in movies(landed).items():
        begun: list[dict[str, Any]] = []
        there = False
        for row in rows:
            if row.http_status != 200:
                if there:
                    begun[-1]["valid_to"] = row.snapshot_date
                there = False
                continue
            said = description(row.payload)
            if there and said == begun[-1]["said"]:
                continue
            changed = [name for name in said if begun and said[name] != begun[-1]["said"][name]]
            if there:
                begun[-1]["valid_to"] = row.snapshot_date
            kind = "first seen" if not begun else "changed" if there else "reappeared"
            why = (kind, ", ".join(changed) or None)
            begun.append({"from": row.snapshot_date, "valid_to": None, "said": said, "why": why})
            there = True
        for version in begun:
            shown = (version["said"][name] for name in ("title", "budget", "collection_id"))
            result[id_, version["from"]] = (version["valid_to"], *version["why"], *shown)
    return result


def description(film: Mapping[str, Any]) -> dict[str, Any]:
    """What describes a film, in the order of the columns."""
    collection = film.get("belongs_to_collection") or {}
    return {
        "title": text(film.get("title")),
        "original_title": text(film.get("original_title")),
        "original_language": text(film.get("original_language")),
        "release_date": text(film.get("release_date")),
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


def credits_of(row: Landed, block: str) -> dict[str, dict[str, Any]]:
    """credit_id → credit, of the block `cast` or `crew`."""
    listed = (row.payload.get("credits") or {}).get(block) or ()
    return {credit["credit_id"]: credit for credit in listed}


def bridge_movie_cast(landed: Iterable[Landed]) -> dict[tuple[int, str], tuple[Any, ...]]:
    """(movie_id, credit_id) → person_id, character_name, cast_order."""
    return {
        (id_, credit_id): (credit["id"], text(credit["character"]), credit["order"])
        for id_, row in newest_with(landed, "credits").items()
        for credit_id, credit in credits_of(row, "cast").items()
    }


def bridge_movie_crew(landed: Iterable[Landed]) -> dict[tuple[int, str], tuple[Any, ...]]:
    """(movie_id, credit_id) → person_id, department, job."""
    return {
        (id_, credit_id): (credit["id"], text(credit["department"]), text(credit["job"]))
        for id_, row in newest_with(landed, "credits").items()
        for credit_id, credit in credits_of(row, "crew").items()
    }


def bridge_movie_keyword(landed: Iterable[Landed]) -> dict[tuple[int, int], tuple[Any, ...]]:
    """(movie_id, keyword_id), without more."""
    return {
        (id_, keyword["id"]): ()
        for id_, row in newest_with(landed, "credits", "keywords").items()
        for keyword in row.payload["keywords"]["keywords"]
    }


def dim_person(landed: Iterable[Landed]) -> dict[int, tuple[Any, ...]]:
    """person_id → name, gender, known_for_department, profile_path."""
    genders = {1: "Female", 2: "Male", 3: "Non-binary"}

    def namings(row: Landed) -> Iterable[tuple[int, int, tuple[Any, ...]]]:
        if row.resource == "movie":
            said: dict[int, list[tuple[Any, ...]]] = defaultdict(list)
            for credit in (*credits_of(row, "cast").values(), *credits_of(row, "crew").values()):
                names = (text(credit["known_for_department"]), text(credit["profile_path"]))
                said[credit["id"]].append((text(credit["name"]), genders.get(credit["gender"]), *names))
            for id_, attributes in said.items():
                known = zip(*attributes, strict=True)
                yield 1, id_, tuple(max(filter(None, values), default=None) for values in known)

    return named(landed, namings)


def dim_keyword(landed: Iterable[Landed]) -> dict[int, tuple[Any, ...]]:
    """keyword_id → name."""

    def namings(row: Landed) -> Iterable[tuple[int, int, tuple[Any, ...]]]:
        if row.resource == "movie" and "credits" in row.payload:
            for keyword in (row.payload.get("keywords") or {}).get("keywords") or ():
                yield 1, keyword["id"], (text(keyword["name"]),)

    return named(landed, namings)


def dim_collection(landed: Iterable[Landed]) -> dict[int, tuple[Any, ...]]:
    """collection_id → name, poster_path."""

    def namings(row: Landed) -> Iterable[tuple[int, int, tuple[Any, ...]]]:
        if row.resource == "movie" and (collection := row.payload.get("belongs_to_collection")):
            yield 1, collection["id"], (text(collection["name"]), text(collection["poster_path"]))

    return named(landed, namings)


def newest_list(landed: Iterable[Landed], resource: str) -> Any:
    """The newest list of TMDB's, or an empty one."""
    rows = [row for row in landed if row.resource == resource]
    return max(rows, key=lambda row: row.snapshot_date).payload if rows else []


def dim_genre(landed: Iterable[Landed]) -> dict[int, tuple[Any, ...]]:
    """genre_id → name, is_listed."""

    def namings(row: Landed) -> Iterable[tuple[int, int, tuple[Any, ...]]]:
        if row.resource in ("genre_list", "movie"):
            rank = 2 if row.resource == "genre_list" else 1
            for genre in row.payload.get("genres") or ():
                yield rank, genre["id"], (text(genre["name"]),)

    landed = list(landed)
    listed = {genre["id"] for genre in (newest_list(landed, "genre_list") or {"genres": []})["genres"]}
    return {key: (*names, key in listed) for key, names in named(landed, namings).items()}


def dim_company(landed: Iterable[Landed]) -> dict[int, tuple[Any, ...]]:
    """company_id → name, logo_path, origin_country."""

    def namings(row: Landed) -> Iterable[tuple[int, int, tuple[Any, ...]]]:
        if row.resource == "movie":
            for company in row.payload.get("production_companies") or ():
                names = (company.get("name"), company.get("logo_path"), company.get("origin_country"))
                yield 1, company["id"], tuple(map(text, names))

    return named(landed, namings)


def dim_country(landed: Iterable[Landed]) -> dict[str, tuple[Any, ...]]:
    """iso_3166_1 → name, is_listed."""

    def namings(row: Landed) -> Iterable[tuple[int, str, tuple[Any, ...]]]:
        if row.resource == "country_list":
            for country in row.payload:
                yield 2, country["iso_3166_1"], (text(country["english_name"]) or country["iso_3166_1"],)
        elif row.resource == "movie":
            for country in row.payload.get("production_countries") or ():
                yield 1, country["iso_3166_1"], (text(country["name"]) or country["iso_3166_1"],)

    landed = list(landed)
    listed = {country["iso_3166_1"] for country in newest_list(landed, "country_list")}
    return {key: (*names, key in listed) for key, names in named(landed, namings).items()}


def dim_language(landed: Iterable[Landed]) -> dict[str, tuple[Any, ...]]:
    """iso_639_1 → name, native_name, is_listed."""

    def names(language: Mapping[str, Any]) -> tuple[Any, ...]:
        english, native = text(language.get("english_name")), text(language.get("name"))
        return english or native or language["iso_639_1"], native

    def namings(row: Landed) -> Iterable[tuple[int, str, tuple[Any, ...]]]:
        if row.resource == "language_list":
            for language in row.payload:
                yield 2, language["iso_639_1"], names(language)
        elif row.resource == "movie":
            for language in row.payload.get("spoken_languages") or ():
                yield 1, language["iso_639_1"], names(language)
            if code := row.payload.get("original_language"):
                yield 0, code, (code, None)

    landed = list(landed)
    listed = {language["iso_639_1"] for language in newest_list(landed, "language_list")}
    return {key: (*names, key in listed) for key, names in named(landed, namings).items()}


def current(landed: Iterable[Landed]) -> dict[int, Landed]:
    """Each film's last response with a payload, without the stale films."""
    last = newest(landed)
    today = max(row.snapshot_date for row in last.values())
    return {id_: row for id_, row in last.items() if today - row.snapshot_date <= STALE_AFTER}


def vw_genre_popularity(landed: Iterable[Landed]) -> dict[int, tuple[Any, ...]]:
    """genre_id → avg_popularity, total_votes, movie_count."""
    films = defaultdict(list)
    for row in current(landed).values():
        for genre_id in {genre["id"] for genre in row.payload.get("genres") or ()}:
            films[genre_id].append(row.payload)
    return {
        genre_id: (
            decimal(sum(Decimal(str(film["popularity"])) for film in genre) / len(genre), 6),
            sum(film["vote_count"] for film in genre),
            len(genre),
        )
        for genre_id, genre in films.items()
    }


def vw_top_movies(landed: Iterable[Landed]) -> list[int]:
    """The films in their order."""

    def order(item: tuple[int, Landed]) -> tuple[Any, ...]:
        id_, row = item
        votes = row.payload["vote_count"]
        rating = row.payload["vote_average"] if votes else -1
        return -row.payload["popularity"], -rating, -votes, id_

    return [id_ for id_, _ in sorted(current(landed).items(), key=order)]


# --- trends -------------------------------------------------------------------------------------------------

PRIOR_VOTES = 500
Fact = tuple[Any, ...]


def by_film(landed: Iterable[Landed]) -> dict[int, dict[dt.date, Fact]]:
    """movie_id → day → popularity, vote_average, vote_count."""
    result: dict[int, dict[dt.date, Fact]] = defaultdict(dict)
    for (day, id_), fact in fact_movie_daily(landed).items():
        result[id_][day] = fact
    return result


def days_before(days: Iterable[dt.date], day: dt.date, count: int) -> dt.date | None:
    """The last of ``days`` that is at least ``count`` days before ``day`` and at most twice as many."""
    near = [d for d in days if count <= (day - d).days <= 2 * count]
    return max(near, default=None)


def minus(new: Any, old: Any) -> Any:
    """The difference of two known values."""
    return None if new is None or old is None else new - old


def mean(values: Iterable[Any], places: int) -> Decimal | None:
    """The mean of the known values, as SQL's avg."""
    there = [value for value in values if value is not None]
    return decimal(Decimal(sum(there)) / len(there), places) if there else None


def last_facts(landed: Iterable[Landed]) -> dict[int, Fact]:
    """movie_id → its last facts, of the films that are not stale."""
    films = by_film(landed)
    today = max(day for days in films.values() for day in days)
    last = {id_: max(days) for id_, days in films.items()}
    return {id_: films[id_][day] for id_, day in last.items() if today - day <= STALE_AFTER}


def prior(landed: Iterable[Landed]) -> Decimal:
    """The mean rating of all films that are not stale."""
    rated = [fact[1] for fact in last_facts(landed).values() if fact[1] is not None]
    return Decimal(sum(rated)) / len(rated)


def weighted(facts: Iterable[Fact], mean_rating: Decimal) -> Decimal | None:
    """All votes of the films, and 500 more of the mean rating."""
    facts = list(facts)
    points = [fact[1] * fact[2] for fact in facts if fact[1] is not None]
    if not points:
        return None
    votes = sum(fact[2] for fact in facts if fact[2] is not None)
    return decimal((sum(points) + PRIOR_VOTES * mean_rating) / (votes + PRIOR_VOTES), 3)


def vw_movie_trend(landed: Iterable[Landed]) -> dict[int, tuple[Any, ...]]:
    """movie_id → for 1, 7, 30 days: day compared with, change of popularity, votes, rating; weighted."""
    landed = list(landed)
    mean_rating = prior(landed)
    result = {}
    for id_, facts in by_film(landed).items():
        day = max(facts)
        row: list[Any] = []
        for count in (1, 7, 30):
            other = days_before(facts, day, count)
            then = facts[other] if other else (None, None, None)
            row += [
                other,
                *(
                    minus(facts[day][0], then[0]),
                    minus(facts[day][2], then[2]),
                    minus(facts[day][1], then[1]),
                ),
            ]
        result[id_] = (*row, weighted([facts[day]], mean_rating))
    return result


def vw_rising_movies(landed: Iterable[Landed]) -> list[int]:
    """The films in their order."""
    films = by_film(landed)
    today = max(day for days in films.values() for day in days)
    risen = []
    for id_, facts in films.items():
        day = max(facts)
        other = days_before(facts, day, 7)
        if other and (today - day).days < 7 and facts[day][0] > facts[other][0]:
            risen.append((facts[other][0] - facts[day][0], id_))
    return [id_ for _, id_ in sorted(risen)]


def vw_genre_trend(landed: Iterable[Landed]) -> dict[tuple[dt.date, int], tuple[Any, ...]]:
    """(date_id, genre_id) → films, mean popularity, votes, mean rating, compared with, change over 7 days."""
    landed = list(landed)
    facts = fact_movie_daily(landed)
    films: dict[tuple[dt.date, int], list[Fact]] = defaultdict(list)
    for row in landed:
        if row.resource == "movie" and row.http_status == 200:
            for genre_id in {genre["id"] for genre in row.payload.get("genres") or ()}:
                films[row.snapshot_date, genre_id].append(facts[row.snapshot_date, row.resource_id])
    popularity = {key: mean((fact[0] for fact in genre), 6) for key, genre in films.items()}
    result = {}
    for (day, genre_id), genre in films.items():
        other = days_before((d for d, id_ in films if id_ == genre_id), day, 7)
        result[day, genre_id] = (
            len(genre),
            popularity[day, genre_id],
            sum(fact[2] for fact in genre),
            mean((fact[1] for fact in genre), 3),
            other,
            minus(popularity[day, genre_id], popularity[other, genre_id]) if other else None,
        )
    return result


def groups(
    landed: Iterable[Landed], of: Callable[[int, Landed], Iterable[Any]]
) -> dict[Any, tuple[Any, ...]]:
    """Key → films, mean popularity, votes, mean rating, weighted rating; ``of`` gives a film's keys."""
    landed = list(landed)
    last, mean_rating, facts = newest(landed), prior(landed), last_facts(landed)
    films: dict[Any, list[Fact]] = defaultdict(list)
    for id_, fact in facts.items():
        for key in set(of(id_, last[id_])):
            films[key].append(fact)
    return {
        key: (
            len(group),
            mean((fact[0] for fact in group), 6),
            sum(fact[2] for fact in group),
            mean((fact[1] for fact in group), 3),
            weighted(group, mean_rating),
        )
        for key, group in films.items()
    }


def companies_of(id_: int, row: Landed) -> list[int]:
    """The film's companies."""
    return [company["id"] for company in row.payload.get("production_companies") or ()]


def countries_of(id_: int, row: Landed) -> list[str]:
    """The film's countries."""
    return [country["iso_3166_1"] for country in row.payload.get("production_countries") or ()]


def language_of(id_: int, row: Landed) -> list[str | None]:
    """The film's language, or that it has none."""
    return [text(row.payload.get("original_language"))]


def collection_of(id_: int, row: Landed) -> list[int]:
    """The film's collection."""
    collection = row.payload.get("belongs_to_collection")
    return [collection["id"]] if collection else []


def principals(landed: Iterable[Landed]) -> Callable[[int, Landed], Iterable[int]]:
    """A film's first ten of the cast and its directors."""
    people: dict[int, list[int]] = defaultdict(list)
    for (id_, _), (person_id, _, order) in bridge_movie_cast(landed).items():
        if order < 10:
            people[id_].append(person_id)
    for (id_, _), (person_id, _, job) in bridge_movie_crew(landed).items():
        if job == "Director":
            people[id_].append(person_id)
    return lambda id_, _: people[id_]


def money(landed: Iterable[Landed], of: Callable[[int, Landed], Iterable[Any]]) -> dict[Any, tuple[Any, ...]]:
    """Key → sum and number of plausible budgets, of plausible revenues, films with implausible money."""
    landed = list(landed)
    last = newest(landed)
    films: dict[Any, list[tuple[int | None, int | None]]] = defaultdict(list)
    for id_ in last_facts(landed):
        film = last[id_].payload
        for key in set(of(id_, last[id_])):
            films[key].append((known(film.get("budget")), known(film.get("revenue"))))
    result = {}
    for key, group in films.items():
        sums: list[Any] = []
        for values in zip(*group, strict=True):
            plausible = [value for value in values if value and value >= 1000]
            sums += [sum(plausible) or None, len(plausible)]
        result[key] = (*sums, sum(any(value and value < 1000 for value in film) for film in group))
    return result


def vw_release_calendar(landed: Iterable[Landed]) -> dict[int, int]:
    """movie_id → days until its release."""
    landed = list(landed)
    today = max(day for day, _ in fact_movie_daily(landed))
    return {
        id_: (row[2] - today).days
        for id_, row in dim_movie(landed).items()
        if row[2] and row[7] is None and (row[2] - today).days >= -90
    }
