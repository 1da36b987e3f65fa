"""A landing zone with a long history, made in PostgreSQL itself: what a year of daily runs leaves behind."""

import datetime as dt
from typing import LiteralString

import orjson
import psycopg

from demo.catalogue import Catalogue
from extractor.schema import MIGRATIONS

# As the extractor's own days: each film whole once in 30 days, else without credits and keywords. The
# measures move every day, and one film in a hundred changes its tagline: TMDB's own rates (about 1 %).
LAND_DAY: LiteralString = """
    insert into raw.tmdb_response
        (resource, resource_id, snapshot_date, http_status, payload, run_id, load_id, landed_at)
    select
        'movie', film.movie_id, day.snapshot_date, 200,
        case
            when mod(film.movie_id + (day.snapshot_date - date '2000-01-01'), 30) = 0
                or day.snapshot_date = %(first)s then film.payload
            else film.payload - '{credits,keywords}'::text[]
        end || jsonb_build_object(
            'popularity', round((film.popularity * (0.7 + 0.6 * random()))::numeric, 4),
            'vote_count', film.votes + (day.snapshot_date - date '2000-01-01') / 2,
            'tagline', case when mod(film.movie_id + (day.snapshot_date - date '2000-01-01'), 100) = 0
                then 'Seen on ' || day.snapshot_date else film.payload ->> 'tagline' end
        ),
        %(run_id)s, %(load_id)s + film.number / 500, clock_timestamp()
    from bench_film as film
    cross join (select %(date)s::date as snapshot_date) as day
    order by film.number
"""


class History:
    """10,000 films, or as many as asked for, of which any days can be landed at once."""

    def __init__(self, connection: psycopg.Connection, films: int, cast: int | None = None) -> None:
        """Takes an autocommit connection to an empty database; makes a landing zone without films there.

        ``cast``: so many of each film's cast, and no crew; 0: no credits and no keywords; None: all.
        """
        self._connection = connection
        for migration in MIGRATIONS:
            connection.execute(migration.script)
        connection.execute(
            "create temporary table bench_film"
            " (movie_id bigint, number integer, popularity float, votes integer, payload jsonb)"
        )
        catalogue, today = Catalogue("bench", films), dt.date(2026, 1, 1).toordinal()
        with connection.cursor().copy("copy bench_film from stdin") as copy:
            for number, listed in enumerate(catalogue.export(today)):
                film = catalogue.film(listed["id"], today)
                if film:
                    for name in ("credits", "keywords") if cast != 0 else ():
                        block = catalogue.block(name, film["id"], today)
                        if cast and name == "credits":
                            film[name] = {"cast": orjson.loads(block)["cast"][:cast], "crew": []}
                        else:
                            film[name] = orjson.Fragment(block)
                    payload = orjson.dumps(film).decode().replace("\\u0000", "")
                    copy.write_row((film["id"], number, film["popularity"], film["vote_count"], payload))
        row = connection.execute(
            "insert into raw.extract_run (mode, parameters, snapshot_date, started_at, finished_at, status)"
            " values ('popular', '{}', current_date, now(), now(), 'finished') returning run_id"
        ).fetchone()
        self._run_id = row[0] if row else 0
        self._first: dt.date | None = None

    def land(self, days: list[dt.date]) -> None:
        """Land all films for these days."""
        for month in sorted({day.replace(day=1) for day in days}):
            self._connection.execute("select raw.ensure_partition(%s)", (month,))
        for day in days:
            last = self._connection.execute("select last_value from raw.load_id_seq").fetchone()
            self._first = self._first or day
            parameters = {
                "date": day,
                "first": self._first,
                "load_id": last[0] + 1 if last else 1,
                "run_id": self._run_id,
            }
            self._connection.execute(LAND_DAY, parameters)
            self._connection.execute(
                "select setval('raw.load_id_seq', (select max(load_id) from raw.tmdb_response))"
            )
        self._connection.execute("analyze raw.tmdb_response")
