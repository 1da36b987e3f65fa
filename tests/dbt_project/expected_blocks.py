"""What the tables and views of the appended blocks must hold, worked out in plain Python."""

import datetime as dt
import itertools
import json
from collections.abc import Callable, Iterable
from decimal import Decimal
from functools import cached_property
from typing import Any

from tests.dbt_project.expected import (
    Landed,
    Row,
    Tables,
    day_of,
    decimal,
    greatest,
    id_of,
    key_of,
    members,
    text,
    whole,
)

RELEASE_TYPES = dict(
    enumerate(("Premiere", "Theatrical (limited)", "Theatrical", "Digital", "Physical", "TV"), 1)
)

Has = Callable[[Any], bool]


def has_list(block: str, field: str, kind: type = list) -> Has:
    """Whether a payload has a block with what it should hold."""
    return lambda payload: (
        isinstance(payload.get(block), dict) and isinstance(payload[block].get(field), kind)
    )


has_releases = has_list("release_dates", "results")
has_providers = has_list("watch/providers", "results", dict)
has_translations = has_list("translations", "translations")
has_titles = has_list("alternative_titles", "titles")
has_videos = has_list("videos", "results")


def has_external_ids(payload: Any) -> bool:
    """Whether a payload has ids of other sites, and not TMDB's error in their place."""
    block = payload.get("external_ids")
    return isinstance(block, dict) and "status_code" not in block


def providers_content(row: Landed) -> Any:
    """The watch providers."""
    return json.dumps(row.payload["watch/providers"]["results"], sort_keys=True)


def releases_of(row: Landed) -> dict[str, list[Row]]:
    """Country → its releases in order, each once."""
    found: dict[str, set[tuple[Any, ...]]] = {}
    countries = members(row.payload["release_dates"], "results", lambda c: key_of(c.get("iso_3166_1")))
    for code, entries in countries.items():
        listed = [e["release_dates"] for e in entries if isinstance(e.get("release_dates"), list)]
        for release in (r for releases in listed for r in releases if isinstance(r, dict)):
            day = release.get("release_date")
            known = (
                day_of(day.partition("T")[0]) if isinstance(day, str) else None,
                kind if (kind := id_of(release.get("type"))) in RELEASE_TYPES else None,
                key_of(release.get("certification")),
                *(text(release.get(name)) for name in ("note", "iso_639_1")),
            )
            found.setdefault(code, set()).add(known)
    return {
        code: [
            {
                "release_number": number,
                "release_type_id": release[1],
                "release_type": RELEASE_TYPES.get(release[1]),
                "release_date": release[0],
                "certification": release[2],
                "note": release[3],
                "iso_639_1": release[4],
            }
            for number, release in enumerate(
                sorted(known, key=lambda r: [(value is None, value or 0) for value in r]), 1
            )
        ]
        for code, known in found.items()
    }


def offers_of(row: Landed) -> dict[tuple[str, int, str], list[Row]]:
    """(country, provider_id, kind of offer) → what is said of the provider there."""
    found: dict[tuple[str, int, str], list[Row]] = {}
    for code, offers in row.payload["watch/providers"]["results"].items():
        for kind in offers if isinstance(offers, dict) and 0 < len(code) <= 40 else ():
            for id_, said in members(offers, kind, lambda p: id_of(p.get("provider_id"))).items():
                if 0 < len(kind) <= 40:
                    found.setdefault((code, id_, kind), []).extend(said)
    return found


class Blocks(Tables):
    """The tables, and those of the appended blocks."""

    def bridge_movie_release(self) -> list[Row]:
        return [
            {"movie_id": id_, "iso_3166_1": code, **release}
            for id_, row in self.newest_with(has_releases).items()
            for code, releases in releases_of(row).items()
            for release in releases
        ]

    def dim_certification(self) -> list[Row]:
        rows: dict[tuple[str, str], Row] = {}
        for row in self.payloads:
            for code, releases in releases_of(row).items() if has_releases(row.payload) else ():
                for release in releases:
                    if release["certification"]:
                        rows[code, release["certification"]] = {}
        newest: dict[tuple[str, str], Row] = {}
        lists = sorted(
            (r for r in self.landed if r.resource == "certification_list"), key=lambda r: r.snapshot_date
        )
        for listed in lists:
            newest = {
                (code, certification): said[0]
                for code in listed.payload["certifications"]
                for certification, said in members(
                    listed.payload["certifications"], code, lambda c: key_of(c.get("certification"))
                ).items()
            }
            rows |= newest
        return [
            {
                "iso_3166_1": code,
                "certification": certification,
                "meaning": text(said.get("meaning")),
                "certification_order": whole(said.get("order")),
                "is_listed": (code, certification) in newest,
            }
            for (code, certification), said in rows.items()
        ]

    @cached_property
    def providers(self) -> dict[int, Row]:
        """provider_id → its row of dim_provider."""

        def namings(row: Landed) -> Iterable[tuple[str, int, Row]]:
            said: dict[int, list[Row]] = {}
            for (_, id_, _), rows in offers_of(row).items():
                said.setdefault(id_, []).extend(rows)
            for id_, rows in said.items():
                name, logo = greatest(rows, "provider_name"), greatest(rows, "logo_path")
                yield "film", id_, {"name": name, "logo_path": logo}

        lists = [
            (
                row.snapshot_date,
                id_,
                {"name": text(said[0].get("provider_name")), "logo_path": text(said[0].get("logo_path"))},
            )
            for row in self.landed
            if row.resource == "watch_provider_list"
            for id_, said in members(row.payload, "results", lambda p: id_of(p.get("provider_id"))).items()
        ]
        newest = max((date for date, _, _ in lists), default=None)
        listed = {id_ for date, id_, _ in lists if date == newest}
        rows = self.named("provider_id", namings, lists, says=providers_content, has=has_providers)
        return {id_: {**row, "is_listed": id_ in listed} for id_, row in rows.items()}

    def dim_provider(self) -> list[Row]:
        return list(self.providers.values())

    def bridge_movie_provider(self) -> list[Row]:
        return [
            {
                "movie_id": movie,
                "iso_3166_1": code,
                "provider_id": id_,
                "offer_type": kind,
                "display_priority": min(
                    (p for r in said if (p := whole(r.get("display_priority"))) is not None), default=None
                ),
                "as_of_date": row.snapshot_date,
            }
            for movie, row in self.newest_with(has_providers).items()
            for (code, id_, kind), said in offers_of(row).items()
        ]

    def fact_movie_provider_change(self) -> list[Row]:
        result = []
        for id_, rows in self.responses.items():
            payloads = [row for row in rows if row.http_status == 200 and has_providers(row.payload)]
            for old, new in itertools.pairwise(payloads):
                before, after = set(offers_of(old)), set(offers_of(new))
                result += [
                    {
                        "movie_id": id_,
                        "iso_3166_1": code,
                        "provider_id": provider_id,
                        "offer_type": kind,
                        "changed_on": new.snapshot_date,
                        "compared_with": old.snapshot_date,
                        "change_kind": change,
                    }
                    for change, offers in (("joined", after - before), ("left", before - after))
                    for code, provider_id, kind in offers
                ]
        return result

    def bridge_movie_translation(self) -> list[Row]:
        result = []
        for id_, row in self.newest_with(has_translations).items():
            listed = members(
                row.payload["translations"],
                "translations",
                lambda t: (key_of(t.get("iso_639_1")), key_of(t.get("iso_3166_1")) or ""),
            )
            for (language, country), said in listed.items():
                texts = [t["data"] for t in said if isinstance(t.get("data"), dict)]
                if language:
                    result.append(
                        {
                            "movie_id": id_,
                            "iso_639_1": language,
                            "iso_3166_1": country,
                            **{name: greatest(texts, name) for name in ("title", "overview", "tagline")},
                        }
                    )
        return result

    def bridge_movie_external_id(self) -> list[Row]:
        return [
            {"movie_id": id_, "source": field.removesuffix("_id"), "external_id": key_of(value, 400)}
            for id_, row in self.newest_with(has_external_ids).items()
            for field, value in row.payload["external_ids"].items()
            if field.endswith("_id") and field != "_id" and len(field) <= 40 and key_of(value, 400)
        ]

    def bridge_movie_alternative_title(self) -> list[Row]:
        result = []
        for id_, row in self.newest_with(has_titles).items():
            listed = members(
                row.payload["alternative_titles"],
                "titles",
                lambda t: (key_of(t.get("iso_3166_1")) or "", key_of(t.get("title"), 400)),
            )
            result += [
                {
                    "movie_id": id_,
                    "iso_3166_1": country,
                    "title": title,
                    "title_type": greatest(said, "type"),
                }
                for (country, title), said in listed.items()
                if title
            ]
        return result

    def bridge_movie_origin_country(self) -> list[Row]:
        return [
            {"movie_id": id_, "iso_3166_1": code}
            for id_, row in self.newest.items()
            if isinstance(listed := row.payload.get("origin_country"), list)
            for code in {*map(key_of, listed)} - {None}
        ]

    def agg_movie_video(self) -> list[Row]:
        result = []
        for id_, row in self.newest_with(has_videos).items():
            videos = [video for video in row.payload["videos"]["results"] if isinstance(video, dict)]
            result.append(
                {
                    "movie_id": id_,
                    "video_count": len(videos),
                    "trailer_count": sum(video.get("type") == "Trailer" for video in videos),
                    "as_of_date": row.snapshot_date,
                }
            )
        return result

    # --- views ----------------------------------------------------------------------------------------------

    def shown(self, row: Row) -> Row:
        """What the views add to a film's row: the names of film, country and provider."""
        code, added = row["iso_3166_1"], {"title": self.films[row["movie_id"]]["title"]}
        added["country_name"] = self.countries[code]["name"] if code in self.countries else code
        if "provider_id" in row:
            name = self.providers[row["provider_id"]]["name"]
            added["provider_name"] = name or f"Provider {row['provider_id']}"
        return added

    def there(self, rows: Iterable[Row]) -> list[Row]:
        """The rows of films that have not vanished."""
        return [row for row in rows if self.films[row["movie_id"]]["vanished_on"] is None]

    def vw_cinema_to_digital(self) -> list[Row]:
        days: dict[tuple[int, str], dict[str, list[dt.date]]] = {}
        for row in self.there(self.bridge_movie_release()):
            kind = {2: "cinema", 3: "cinema", 4: "digital"}.get(row["release_type_id"])
            if kind and row["release_date"]:
                place = days.setdefault((row["movie_id"], row["iso_3166_1"]), {})
                place.setdefault(kind, []).append(row["release_date"])
        result = []
        for (id_, code), kinds in days.items():
            if len(kinds) == 2:
                key = {"movie_id": id_, "iso_3166_1": code}
                cinema, digital = min(kinds["cinema"]), min(kinds["digital"])
                result.append(
                    {
                        **key,
                        **self.shown(key),
                        "cinema_date": cinema,
                        "digital_date": digital,
                        "days_to_digital": (digital - cinema).days,
                    }
                )
        return result

    def vw_country_releases(self) -> list[Row]:
        columns = ("iso_3166_1", "release_date", "movie_id", "release_number", "release_type")
        return [
            {
                **{name: row[name] for name in (*columns, "certification", "note")},
                **self.shown(row),
                "popularity": self.last_facts[row["movie_id"]]["popularity"],
            }
            for row in self.there(self.bridge_movie_release())
            if row["release_date"] and f"{row['release_date']:%Y%m}" == f"{self.newest_date:%Y%m}"
        ]

    def vw_where_to_watch(self) -> list[Row]:
        page = "https://www.themoviedb.org/movie/{movie_id}/watch?locale={iso_3166_1}"
        return [
            {
                **{name: value for name, value in row.items() if name != "display_priority"},
                **self.shown(row),
                "watch_page": page.format(**row),
            }
            for row in self.there(self.bridge_movie_provider())
        ]

    def vw_provider_share(self) -> list[Row]:
        places: dict[str, set[int]] = {}
        offers: dict[tuple[str, int], dict[int, set[str]]] = {}
        for row in self.bridge_movie_provider():
            if row["movie_id"] in self.current:
                code, id_ = row["iso_3166_1"], row["movie_id"]
                places.setdefault(code, set()).add(id_)
                films = offers.setdefault((code, row["provider_id"]), {})
                films.setdefault(id_, set()).add(row["offer_type"])
        result = []
        for (code, provider_id), films in offers.items():
            key = {"iso_3166_1": code, "provider_id": provider_id}
            names = self.shown({**key, "movie_id": next(iter(films))})
            del names["title"]
            result.append(
                {
                    **key,
                    **names,
                    "movie_count": len(films),
                    "flatrate_movie_count": sum("flatrate" in kinds for kinds in films.values()),
                    "movie_share": decimal(Decimal(len(films)) / len(places[code]), 6),
                }
            )
        return result

    def vw_provider_changes(self) -> list[Row]:
        return [{**row, **self.shown(row)} for row in self.there(self.fact_movie_provider_change())]
