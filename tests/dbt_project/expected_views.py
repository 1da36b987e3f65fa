"""What the analytic views must show, worked out in plain Python on top of `tests.dbt_project.expected`."""

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable
from decimal import Decimal
from functools import cached_property
from typing import Any

from tests.dbt_project.expected import Row, days_before, decimal, mean, total
from tests.dbt_project.expected_blocks import Blocks

PRIOR_VOTES = 500
CALENDAR_DAYS_BACK = 90
MEASURES = ("popularity", "vote_average", "vote_count")


def minus(new: Any, old: Any) -> Any:
    """The difference of two known values."""
    return None if new is None or old is None else new - old


def percent(new: Decimal | None, old: Decimal | None) -> Decimal | None:
    """The change in percent; nothing where the old one was next to nothing."""
    return decimal(100 * (new / old - 1), 1) if new is not None and old and new < 10**11 * old else None


def share(part: int | None, whole: int | None) -> Decimal | None:
    """A part of a whole, from 0 to 1."""
    return decimal(Decimal(part) / whole, 6) if part is not None and whole else None


def descending(value: Any) -> tuple[bool, Any]:
    """A sort key: the highest first, the unknown last."""
    return value is None, 0 if value is None else -value


def ascending(value: Any) -> tuple[bool, Any]:
    """The key of SQL's `desc`: the unknown first, then the highest."""
    return value is not None, 0 if value is None else -value


class Views(Blocks):
    """The tables, and the views on them. Where a view has an order, its rows are in that order."""

    @cached_property
    def mean_rating(self) -> Decimal:
        """The mean rating of all films that are neither stale nor gone."""
        rated = [fact["vote_average"] for fact in self.current.values() if fact["vote_average"] is not None]
        return Decimal(sum(rated)) / len(rated) if rated else Decimal("NaN")

    def weighted(self, facts: Iterable[Row]) -> Decimal | None:
        """All votes of the films, and 500 more of the mean rating."""
        facts = list(facts)
        points = [
            fact["vote_average"] * fact["vote_count"] for fact in facts if fact["vote_average"] is not None
        ]
        if not points or self.mean_rating.is_nan():
            return None
        votes = total(fact["vote_count"] for fact in facts)
        return decimal((sum(points) + PRIOR_VOTES * self.mean_rating) / (votes + PRIOR_VOTES), 3)

    # --- films ----------------------------------------------------------------------------------------------

    def vw_movie_latest(self) -> list[Row]:
        return [
            {**film, **self.last_facts[id_], "is_stale": self.is_stale(id_)}
            for id_, film in self.films.items()
        ]

    def vw_measured_day(self) -> list[Row]:
        return [{"date_id": day} for day in sorted({fact["date_id"] for fact in self.fact_movie_daily()})]

    def vw_movie_as_of(self) -> list[Row]:
        versions = [dict(row) for row in self.dim_movie_history()]
        result = []
        for fact in self.fact_movie_daily():
            for version in versions:
                end = version["valid_to"] or dt.date.max
                if version["movie_id"] == fact["movie_id"] and version["valid_from"] <= fact["date_id"] < end:
                    shown = {k: v for k, v in version.items() if not k.startswith(("is_current", "change"))}
                    result.append({**shown, **fact})
        return result

    def vw_top_movies(self) -> list[Row]:
        def order(fact: Row) -> tuple[Any, ...]:
            return *(descending(fact[name]) for name in MEASURES), fact["movie_id"]

        return [
            {
                "rank": rank,
                "title": self.films[fact["movie_id"]]["title"],
                "release_date": self.films[fact["movie_id"]]["release_date"],
                **fact,
            }
            for rank, fact in enumerate(sorted(self.current.values(), key=order), 1)
        ]

    def vw_movie_trend(self) -> list[Row]:
        result = []
        for id_, trend in self.trends.items():
            row = {
                "movie_id": id_,
                "title": self.films[id_]["title"],
                "date_id": trend["date_id"],
                "is_stale": self.is_stale(id_),
                "vanished_on": self.films[id_]["vanished_on"],
                **{name: trend[name] for name in MEASURES},
                "weighted_rating": self.weighted([trend]),
            }
            for days in ("1d", "7d", "30d"):
                row[f"compared_with_{days}"] = trend[f"date_id_{days}"]
                row[f"popularity_change_percent_{days}"] = percent(
                    trend["popularity"], trend[f"popularity_{days}"]
                )
                for name in MEASURES:
                    row[f"{name}_change_{days}"] = minus(trend[name], trend[f"{name}_{days}"])
            result.append(row)
        return result

    def vw_rising_movies(self) -> list[Row]:
        risen = [
            (trend["popularity"] - trend["popularity_7d"], trend)
            for id_, trend in self.trends.items()
            if id_ in self.current
            and trend["popularity_7d"] is not None
            and trend["popularity"] is not None
            and trend["popularity"] > trend["popularity_7d"]
            and (self.newest_date - trend["date_id"]).days < 7
        ]
        risen.sort(key=lambda change: (-change[0], change[1]["movie_id"]))
        return [
            {
                "rank": rank,
                "movie_id": trend["movie_id"],
                "title": self.films[trend["movie_id"]]["title"],
                "release_date": self.films[trend["movie_id"]]["release_date"],
                "date_id": trend["date_id"],
                "compared_with": trend["date_id_7d"],
                "popularity": trend["popularity"],
                "popularity_change": change,
                "popularity_change_percent": percent(trend["popularity"], trend["popularity_7d"]),
                "vote_count_change": minus(trend["vote_count"], trend["vote_count_7d"]),
                "weighted_rating": self.weighted([trend]),
            }
            for rank, (change, trend) in enumerate(risen, 1)
        ]

    def vw_release_calendar(self) -> list[Row]:
        genres = defaultdict(list)
        for id_, genre_id in self.movie_genre:
            genres[id_].append(self.genres[genre_id]["name"])
        rows = []
        for id_, film in self.films.items():
            release = film["release_date"]
            if release is None or film["vanished_on"] is not None:
                continue
            days = (release - self.newest_date).days
            if days < -CALENDAR_DAYS_BACK:
                continue
            shown = ("movie_id", "title", "original_language", "release_date", "status", "runtime")
            rows.append(
                {
                    **{name: film[name] for name in shown},
                    "days_until_release": days,
                    "genre_names": ", ".join(sorted(filter(None, genres[id_]))) or None,
                    "popularity": self.last_facts[id_]["popularity"],
                    "date_id": self.last_facts[id_]["date_id"],
                }
            )
        return sorted(
            rows, key=lambda row: (row["release_date"], *ascending(row["popularity"]), row["movie_id"])
        )

    # --- groups of films ------------------------------------------------------------------------------------

    def vw_genre_popularity(self) -> list[Row]:
        shown = ("avg_popularity", "total_votes", "movie_count")
        return [
            {
                "genre_id": genre_id,
                "genre_name": self.genres[genre_id]["name"],
                **{name: measures[name] for name in shown},
            }
            for genre_id, measures in self.groups(self.movie_genre).items()
        ]

    def vw_genre_trend(self) -> list[Row]:
        result = []
        for genre_id, days in self.genre_days.items():
            for day, measures in days.items():
                row = {**measures, "genre_name": self.genres[genre_id]["name"]}
                for count in (7, 30):
                    other = days_before(days, day, count)
                    then = days[other]["avg_popularity"] if other else None
                    row[f"compared_with_{count}d"] = other
                    row[f"avg_popularity_change_{count}d"] = minus(measures["avg_popularity"], then)
                result.append(row)
        return result

    def vw_company_performance(self) -> list[Row]:
        money = self.money(self.movie_company)
        return [
            {
                "company_id": company_id,
                "company_name": self.companies[company_id]["name"],
                "origin_country": self.companies[company_id]["origin_country"],
                **measures,
                **money[company_id],
            }
            for company_id, measures in self.groups(self.movie_company).items()
        ]

    def vw_collection_performance(self) -> list[Row]:
        films = {
            (id_, film["collection_id"])
            for id_, film in self.films.items()
            if film["collection_id"] is not None
        }
        money = self.money(films)
        result = []
        for collection_id, measures in self.groups(films).items():
            of_collection = (id_ for id_, other in films if other == collection_id and id_ in self.current)
            released = [self.films[id_]["release_date"] for id_ in of_collection]
            dates = [date for date in released if date is not None]
            result.append(
                {
                    "collection_id": collection_id,
                    "collection_name": self.collections[collection_id]["name"],
                    "first_release_date": min(dates, default=None),
                    "last_release_date": max(dates, default=None),
                    **measures,
                    **money[collection_id],
                }
            )
        return result

    def vw_country_popularity(self) -> list[Row]:
        return [
            {
                "iso_3166_1": code,
                "country_name": self.countries[code]["name"],
                "continent": self.countries[code]["continent"],
                "region": self.countries[code]["region"],
                **measures,
            }
            for code, measures in self.groups(self.movie_country).items()
        ]

    def vw_language_share(self) -> list[Row]:
        groups = self.groups({(id_, film["original_language"]) for id_, film in self.films.items()})
        votes = total(fact["vote_count"] for fact in self.current.values())
        return [
            {
                "original_language": code,
                "language_name": self.languages[code]["name"] if code else "Unknown",
                "movie_share": decimal(Decimal(measures["movie_count"]) / len(self.current), 6),
                "vote_share": share(measures["total_votes"], votes),
                **measures,
            }
            for code, measures in groups.items()
        ]

    def vw_person_popularity(self) -> list[Row]:
        result = []
        for person_id, measures in self.person_measures.items():
            points, votes = measures["rating_points"], measures["total_votes"]
            weighted = None
            if points is not None:
                weighted = decimal((points + PRIOR_VOTES * self.mean_rating) / (votes + PRIOR_VOTES), 3)
            shown = {name: value for name, value in measures.items() if name != "rating_points"}
            person = {
                name: self.people[person_id][name] for name in ("name", "gender", "known_for_department")
            }
            result.append({**shown, **person, "weighted_rating": weighted})
        return result

    def groups(self, pairs: Iterable[tuple[int, Any]]) -> dict[Any, Row]:
        """Member → the measures of its films, from (movie_id, member), each pair once."""
        facts: dict[Any, list[Row]] = defaultdict(list)
        for id_, member in pairs:
            if id_ in self.current:
                facts[member].append(self.current[id_])
        return {
            member: {
                "movie_count": len(films),
                "avg_popularity": mean((fact["popularity"] for fact in films), 6),
                "total_votes": total(fact["vote_count"] for fact in films),
                "avg_rating": mean((fact["vote_average"] for fact in films), 3),
                "weighted_rating": self.weighted(films),
            }
            for member, films in facts.items()
        }

    def money(self, pairs: Iterable[tuple[int, Any]]) -> dict[Any, Row]:
        """Member → sums of what is known and plausible, of how many films, and of how many it is not."""
        films: dict[Any, list[Row]] = defaultdict(list)
        for id_, member in pairs:
            if id_ in self.current:
                films[member].append(self.films[id_])
        result: dict[Any, Row] = {}
        for member, group in films.items():
            row: Row = {}
            for name in ("budget", "revenue"):
                plausible = [film[name] for film in group if film[name] and not film[f"is_{name}_suspect"]]
                row[f"total_{name}"] = sum(plausible) or None
                row[f"{name}_movie_count"] = len(plausible)
            row["suspect_money_count"] = sum(
                film["is_budget_suspect"] or film["is_revenue_suspect"] for film in group
            )
            result[member] = row
        return result
