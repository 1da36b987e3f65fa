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

    def newest(self, day: dt.date, film: int) -> dict[str, Any] | None:
        """What a film's last payload up to ``day`` was; None: it was gone, or never landed."""
        until = [row for row in self.landed.values() if row.resource_id == film and row.snapshot_date <= day]
        last = max(until, key=lambda row: row.snapshot_date, default=None)
        return last.payload if last and last.http_status == 200 else None

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
