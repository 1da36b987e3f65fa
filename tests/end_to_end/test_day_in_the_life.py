"""Sixty days of a warehouse's life, good days and bad: each day's films go through the extractor, and now and
then through dbt; at the end every table and view holds what plain Python makes of TMDB's answers."""

import asyncio
import datetime as dt
import os
import subprocess
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson
import pytest

from common.report import Counts
from demo.faults import Faults
from demo.server import StandIn
from demo.source import Film, Query
from extractor import pipeline, settings
from tests.dbt_project.compiled import Model, Warehouse
from tests.dbt_project.conftest import compiled
from tests.dbt_project.expected import Landed, Tables
from tests.dbt_project.marts import assert_as_landed, everything
from tests.dbt_project.runner import Dbt
from tests.end_to_end.test_real_films import connect
from tests.end_to_end.world import LISTS, LISTS_LATER, World

__all__ = ["compiled"]

FIRST = dt.date(2025, 12, 1)
DAYS = 60
PAGES = 3
TRACK_DAYS = 10
FULL_DAYS = 20
RESOURCES = {
    path: name for path, name in zip(LISTS, ("genre_list", "country_list", "language_list"), strict=True)
}
#: The tables without the views, which stay as they were made.
TABLES = ("run", "--select", "config.materialized:incremental")


def day(number: int) -> dt.date:
    """The date of a day of this life."""
    return FIRST + dt.timedelta(days=number)


class Silent:
    """A reporter that says nothing."""

    def begin(self, total: int) -> None: ...

    def skip(self, count: int) -> None: ...

    def update(self, counts: Counts) -> None: ...


@dataclass
class Life:
    """The extractor's runs, and all that the stand-in has answered to them."""

    tmdb: StandIn
    world: World
    variables: dict[str, str]
    project: Path
    #: What was answered last, by resource, date and id: what must be landed.
    served: dict[tuple[str, dt.date, int], Landed] = field(default_factory=dict)
    #: What must stand in the ledger for each run: mode, date, status, landed, not found, failed.
    ledger: list[tuple[Any, ...]] = field(default_factory=list)
    #: Date → films that were on the popular pages.
    popular: dict[dt.date, set[int]] = field(default_factory=lambda: defaultdict(set))
    _answers: list[Landed] = field(default_factory=list)

    def told(self, path: str, status: int, body: bytes) -> None:
        """The stand-in has answered."""
        if path in RESOURCES:
            self._answers.append(Landed(RESOURCES[path], self.tmdb.today, 0, status, orjson.loads(body)))
        elif path.startswith("/movie/") and path != "/movie/changes":
            id_ = int(path.rpartition("/")[2])
            self._answers.append(Landed("movie", self.tmdb.today, id_, status, orjson.loads(body)))

    def settings(self, date: dt.date, mode: str) -> dict[str, str]:
        """The variables of a run."""
        return {
            **self.variables,
            "TMDB_TOKEN": self.tmdb.token,
            "TMDB_BASE_URL": self.tmdb.base_url,
            "TMDB_EXPORT_URL": self.tmdb.export_url,
            "TMDB_MAX_RPS": "100000",
            "TMDB_MAX_TRIES": "2",
            "TMDB_BLOCKS": "credits,keywords",
            "TMDB_PAGES": str(PAGES),
            "TMDB_TRACK_DAYS": str(TRACK_DAYS),
            "TMDB_FULL_DAYS": str(FULL_DAYS),
            "TMDB_SNAPSHOT_DATE": date.isoformat(),
            "TMDB_MODE": mode,
        }

    def extract(self, number: int, mode: str = "popular") -> set[int]:
        """A run of a day, in this process, that goes well; the films it asked for."""
        date = day(number)
        self.tmdb.today = date
        asyncio.run(pipeline.extract(settings.checked(self.settings(date, mode)), Silent()))
        return self._close(date, mode, "finished", failed=0)

    def extract_as_one_types(self, number: int, failed: int) -> subprocess.CompletedProcess[str]:
        """The same as a program of its own, of which so many resources fail."""
        date = day(number)
        self.tmdb.today = date
        done = subprocess.run(
            [sys.executable, "-m", "extractor", "run"],
            cwd=self.project,
            env={**os.environ, **self.settings(date, "popular")},
            capture_output=True,
            text=True,
            check=False,
        )
        self._close(date, "popular", "failed" if failed else "finished", failed)
        return done

    def _close(self, date: dt.date, mode: str, status: str, failed: int) -> set[int]:
        answers, self._answers = self._answers, []
        self.served |= {answer[:3]: answer for answer in answers}
        if mode == "popular":
            self.popular[date] |= self.listed(date)
        by_status = Counter(answer.http_status for answer in answers)
        self.ledger.append((mode, date, status, by_status[200], by_status[404], failed))
        return {answer.resource_id for answer in answers if answer.resource == "movie"}

    def listed(self, date: dt.date) -> set[int]:
        """The films on the popular pages of a date."""
        return set(self.world.ranking(Query(), date.toordinal()).ids[: 20 * PAGES])

    def chosen(self, date: dt.date) -> set[int]:
        """The films that a popular run must ask for: the popular ones, and those that were so of late."""
        window = (date - dt.timedelta(days=n) for n in range(1, TRACK_DAYS + 1))
        return self.listed(date) | {
            id_ for other in window for id_ in self.popular[other] if self.answer(other, id_) == 200
        }

    def answer(self, date: dt.date, id_: int) -> int | None:
        """The status of the last answer for a film and date."""
        served = self.served.get(("movie", date, id_))
        return served.http_status if served else None


@pytest.fixture
def life(database: dict[str, str], project_root: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Life]:
    """An empty warehouse, and a TMDB with a past and a future."""
    for name, value in database.items():
        monkeypatch.setenv(name, value)
    world = World(day(-1), DAYS + 1, films=70, seed=20251201)
    with StandIn(token="eyJhbGciOiJIUzI1NiJ9.ZGF5LWluLXRoZS1saWZl.c2lnbmVk") as tmdb:
        life = Life(tmdb, world, database, project_root)
        tmdb.use(source=world)
        tmdb.lists.update(LISTS)
        tmdb.watch = life.told
        yield life


def corrected(id_: int, film: Film) -> Film | None:
    """What TMDB says later on the same day: another title and other measures, and some films are gone."""
    if id_ % 17 == 0:
        return None
    return {**film, "title": film["title"] + "!", "popularity": film["popularity"] + 1.5}


@pytest.mark.slow
def test_sixty_days(
    life: Life,
    database: dict[str, str],
    compiled: tuple[str, list[Model]],
    project_root: Path,
    tmp_path: Path,
) -> None:
    tmdb, world = life.tmdb, life.world
    with connect(database) as connection, Dbt(project_root / "dbt_project", database, tmp_path) as dbt:

        def read(query: str) -> list[tuple[Any, ...]]:
            return connection.execute(query.encode()).fetchall()

        def landed() -> dict[Any, Landed]:
            query = "select resource, snapshot_date, resource_id, http_status, payload from raw.tmdb_response"
            return {row[:3]: Landed(*row) for row in read(query)}

        def build() -> None:
            """With dbt's statements, which takes a twentieth of its time."""
            with connection.transaction():
                Warehouse(connection, compiled[1]).build()

        lost: list[int] = []
        for number in range(DAYS - 1):
            match number:
                case 10 | 14:
                    continue  # nobody was there
                case 26:
                    tmdb.stop()
                    done = life.extract_as_one_types(number, failed=len(RESOURCES))
                    assert done.returncode == 1 and "can't be read" in done.stderr
                    assert landed() == life.served, "an outage takes nothing away"
                    tmdb.start()
                    continue
                case 30:
                    tmdb.lists.update(LISTS_LATER)
                    wanted = sorted(life.chosen(day(number)))
                    lost = wanted[len(wanted) // 2 :]
                    tmdb.faults = Faults(permanent=dict.fromkeys(lost, "500"))
                    done = life.extract_as_one_types(number, failed=len(lost))
                    assert done.returncode == 1 and f"{len(lost)} of {len(wanted) + 3}" in done.stderr
                    tmdb.faults = Faults()
                case _:
                    assert life.extract(number) == life.chosen(day(number)), number
            match number:
                case 0:
                    dbt("seed")
                    dbt("run")
                case 12 | 50:
                    # what changed since the last run that looked at all films: the first, that of day 40
                    since = 0 if number == 12 else 40
                    first, last = day(since - 1).toordinal(), day(number).toordinal()
                    changed = {change.film_id for change in world.changes(first, last)}
                    assert life.extract(number, "changes") == changed
                    build()
                case 20:
                    build()
                    world.correct(day(number), corrected)
                    tmdb.use(source=world)  # so that nothing of the morning's is kept
                    assert life.extract(number) == life.chosen(day(number)), "the day once more"
                case 24:
                    dbt(*TABLES)
                    assert_as_landed(read, life.served.values())
                case 30:
                    dbt(*TABLES)
                    tested = dbt("test", "--select", "films_do_not_drop", "groups_count_films_once")
                    assert tested["films_do_not_drop"] == "warn", "that is half a day"
                    assert tested["groups_count_films_once"] == "pass"
                case 31:
                    assert life.extract(30) == set(lost), "the rest of the day before"
                case 35:
                    for late in (14, -1):
                        assert life.extract(late) == life.chosen(day(late)), late
                    build()
                case 40:
                    # too long after the last one: TMDB tells of changes for 14 days
                    assert life.extract(number, "changes") == set(world.days[day(number).toordinal()])
        done = life.extract_as_one_types(DAYS - 1, failed=0)
        assert done.returncode == 0, done.stderr
        assert landed() == life.served
        dbt(*TABLES)
        assert_as_landed(read, life.served.values())
        assert_all_of_it_happened(life)

        # the ledger and the tests of the data tell what went wrong
        columns = "mode, snapshot_date, status, landed, not_found, failed"
        assert read(f"select {columns} from analytics.vw_pipeline_run order by run_id") == life.ledger
        failures = read("select resource, snapshot_date, resource_id from analytics.vw_pipeline_failure")
        assert sorted(failures) == sorted(
            [(name, day(26), 0) for name in RESOURCES.values()] + [("movie", day(30), id_) for id_ in lost]
        )
        dbt("test", "--select", "test_type:singular")
        suspect = [
            film
            for film in Tables(life.served.values(), day(DAYS)).dim_movie()
            if film["is_budget_suspect"] or film["is_revenue_suspect"]
        ]
        failing = read(
            "select test, status, failing_rows from analytics.vw_data_quality where status <> 'pass'"
        )
        # somebody has the id 0, which is nobody's: what the newest days' credits say of them is left out
        before_last = (
            "select max(load_id) from ops.build where load_id < (select max(load_id) from ops.build)"
        )
        newest = read(
            "select resource, snapshot_date, resource_id from raw.tmdb_response"
            f" where resource = 'movie' and load_id > ({before_last})"
        )
        credits = [life.served[key].payload.get("credits", {}) for key in newest]
        nobodys = sum(any(one["id"] == 0 for part in each.values() for one in part) for each in credits)
        assert nobodys
        assert sorted(failing) == [
            ("money_is_plausible", "warn", len(suspect)),
            ("no_day_is_missing", "warn", 2),
            ("no_value_is_lost_in_typing", "warn", nobodys),
            ("snapshots_are_fresh", "warn", 1),
        ]

        incremental = everything(read)
        dbt("run", "--full-refresh")
        assert everything(read) == incremental


def assert_all_of_it_happened(life: Life) -> None:
    """Sixty days in which nothing happens would prove nothing."""
    tables = Tables(life.served.values(), day(DAYS))
    kinds = Counter(version["change_kind"] for version in tables.dim_movie_history())
    assert kinds["changed"] > 50 and kinds["reappeared"] > 3
    assert sum(film["vanished_on"] is not None for film in tables.dim_movie()) > 5
    assert sum(tables.is_stale(id_) for id_ in tables.facts) > 3
    assert {False, True} == {genre["is_listed"] for genre in tables.dim_genre()}
    assert len(tables.facts) > 90
    merged = Counter(film["imdb_id"] for film in tables.dim_movie() if film["imdb_id"])
    assert max(merged.values()) == 2, "an id that took over from another"
    light = full = 0
    for rows in tables.responses.values():
        there = [row for row in rows if row.http_status == 200]
        dates = [row.snapshot_date for row in there if "credits" in row.payload]
        full += len(dates)
        for row in there:
            light += "credits" not in row.payload
            assert any(abs((row.snapshot_date - date).days) < FULL_DAYS for date in dates)
    assert light > 2 * full, "credits come now and then"
