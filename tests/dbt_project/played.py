"""A landing zone and the tables on it, in one transaction that the test rolls back."""

import datetime as dt
import json
from typing import Any

import psycopg

from tests.dbt_project.compiled import Model, Warehouse
from tests.dbt_project.expected import Landed


class World:
    """A landing zone and the tables on it, in one transaction, with what was ever landed in mind."""

    def __init__(self, connection: psycopg.Connection[Any], models: list[Model]) -> None:
        self.connection = connection
        self.tables = Warehouse(connection, models)
        self.landed: dict[tuple[str, dt.date, int], Landed] = {}

    def do(self, action: tuple[Any, ...]) -> None:
        """Do one of the things that a history is made of."""
        kind, *how = action
        getattr(self, kind)(*how)

    def land(self, day: dt.date, films: dict[int, Any], genres: Any, language: str = "en-US") -> None:
        """Land films and, if given, TMDB's list of genres."""
        gone = {"success": False, "status_code": 34}
        rows = [
            Landed("movie", day, id_, 404 if film is None else 200, film or gone, language)
            for id_, film in films.items()
        ]
        if genres is not None:
            rows.append(Landed("genre_list", day, 0, 200, genres))
        self.connection.execute(
            "select raw.ensure_partition(%s), nextval('raw.load_id_seq')", (day.replace(day=1),)
        )
        for row in rows:
            self.connection.execute(
                "insert into raw.tmdb_response (resource, snapshot_date, resource_id, http_status, payload,"
                " language, run_id, load_id, landed_at)"
                " values (%s, %s, %s, %s, %s, nullif(%s, 'en-US'), 1, currval('raw.load_id_seq'), now())"
                " on conflict (resource, snapshot_date, resource_id) do update set"
                " http_status = excluded.http_status, payload = excluded.payload, load_id = excluded.load_id,"
                " language = excluded.language",
                (*row[:4], json.dumps(row.payload), row.language),
            )
            self.landed[row[:3]] = row

    def repeat(self, day: dt.date, film: int) -> None:
        """Land a film as it was on its last day before ``day``."""
        before = [
            r
            for r in self.landed.values()
            if r[:1] == ("movie",) and r.resource_id == film and r.snapshot_date < day
        ]
        if before:
            last = max(before, key=lambda row: row.snapshot_date)
            self.land(day, {film: last.payload if last.http_status == 200 else None}, None, last.language)

    def build(self, way: str, only: set[int] | None, stop_after: int | None) -> None:
        """Build all tables, some of them, or the first few."""
        names = None if only is None else {m.name for i, m in enumerate(self.tables.models) if i in only}
        self.tables.build(way, names, stop_after)

    def prune(self, before: dt.date) -> None:
        """Drop the days before, as `extractor prune` does once staging has read them."""
        self.tables.build()
        self.connection.execute("delete from raw.tmdb_response where snapshot_date < %s", (before,))

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """What ``query`` returns."""
        return self.connection.execute(query.encode()).fetchall()
