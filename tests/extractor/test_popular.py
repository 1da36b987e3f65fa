"""Mode popular: what is landed, what is tracked, which payloads are full, and what a second run fetches."""

from datetime import date, timedelta
from itertools import pairwise

import pytest

from demo.faults import Faults
from demo.server import StandIn
from extractor import answer
from extractor.errors import RunFailedError
from extractor.options import DEFAULTS
from tests.extractor.conftest import DAY, Extract, Zone

LISTS = set(answer.LISTS)


def next_day(tmdb: StandIn, days: int = 1) -> date:
    tmdb.today = tmdb.today + timedelta(days=days)
    return tmdb.today


def full(zone: Zone, day: date) -> set[int]:
    return {
        film
        for (film,) in zone.rows(
            "select resource_id from raw.tmdb_response where resource = 'movie' and snapshot_date = %s"
            " and payload ? 'credits' and payload ? 'keywords'",
            day,
        )
    }


def test_the_popular_pages_and_the_lists_are_landed_as_sent(
    extract: Extract, tmdb: StandIn, zone: Zone
) -> None:
    summary = extract(pages=5)
    films = zone.films() | zone.films(status=404)
    # pages repeat films, so as many are missed: 100 rows, of 95 films at least (the stand-in repeats 1 %)
    assert 95 <= len(films) <= 100
    assert films <= set(tmdb.ids()[:110])
    for film in sorted(zone.films())[:20]:
        payload = zone.one("select payload from raw.tmdb_response where resource_id = %s", film)
        sent = tmdb.film(film)
        assert sent is not None
        assert {key: payload[key] for key in sent} == sent
        assert set(payload) - set(sent) == set(DEFAULTS["TMDB_BLOCKS"].split(","))
    lists = {
        name: payload
        for name, payload in zone.rows(
            "select resource, payload from raw.tmdb_response where resource <> 'movie' and resource_id = 0"
        )
    }
    assert set(lists) == LISTS
    assert len(lists["genre_list"]["genres"]) == 19
    assert isinstance(lists["country_list"], list) and isinstance(lists["language_list"], list)
    assert summary.counts.requested == len(films) + 6
    run = zone.last_run()
    assert (run["status"], run["mode"], run["snapshot_date"]) == ("finished", "popular", DAY)
    assert run["finished_at"] >= run["started_at"] and run["error"] is None
    assert run["parameters"]["pages"] == 5
    zone.assert_counts_are_true()


def test_rows_lie_in_the_partition_of_their_month(extract: Extract, tmdb: StandIn, zone: Zone) -> None:
    extract(pages=1)
    tmdb.today = date(2026, 9, 1)
    extract(pages=1)
    rows = zone.rows(
        "select distinct tableoid::regclass::text, snapshot_date from raw.tmdb_response order by 1"
    )
    assert rows == [
        ("raw.tmdb_response_202608", DAY),
        ("raw.tmdb_response_202609", date(2026, 9, 1)),
    ]


def test_loads_are_numbered_in_the_order_of_their_commits(extract: Extract, zone: Zone) -> None:
    extract(pages=5)
    first = zone.one("select max(load_id) from raw.tmdb_response")
    landed_at = zone.one("select max(landed_at) from raw.tmdb_response")
    extract(pages=5)
    assert zone.rows(
        "select count(*) filter (where load_id <= %s), count(*) filter (where landed_at <= %s),"
        " count(distinct run_id) from raw.tmdb_response where resource <> 'movie'",
        first,
        landed_at,
    ) == [(0, 0, 1)]


def test_a_film_that_tmdb_no_longer_has_lands_as_a_tombstone(
    extract: Extract, tmdb: StandIn, zone: Zone
) -> None:
    gone = tmdb.ids()[3]
    tmdb.delete(gone, listed=True)
    extract(pages=2)
    ((status, payload),) = zone.rows(
        "select http_status, payload from raw.tmdb_response where resource = 'movie' and resource_id = %s",
        gone,
    )
    assert status == 404 and payload["status_code"] == 34
    assert zone.last_run()["not_found"] >= 1
    assert zone.one("select count(*) from raw.extract_failure") == 0
    zone.assert_counts_are_true()


def test_a_film_that_left_the_pages_is_tracked_for_so_many_days_since_it_was_on_them(
    extract: Extract, tmdb: StandIn, zone: Zone
) -> None:
    tmdb.repeats = 0.0
    extract(pages=1, track_days=3)
    left = zone.films()
    popular = set()
    for day in range(1, 5):
        today = next_day(tmdb)
        # from now on other films are popular
        for place, film in enumerate(tmdb.ids()[-40:]):
            tmdb.override(film, {"popularity": 90_000.0 + place}, since=today)
        extract(pages=1, track_days=3)
        popular = set(tmdb.ids()[:20])
        assert popular <= zone.films(today) | zone.films(today, 404)
        expected = left if day <= 3 else set()
        assert (zone.films(today) | zone.films(today, 404)) & left == expected, f"day {day}"
        reasons = dict(
            zone.rows(
                "select selected_by, count(*) from raw.tmdb_response"
                " where resource = 'movie' and snapshot_date = %s group by 1",
                today,
            )
        )
        assert reasons.get("tracked", 0) >= len(expected)
    extract(pages=1, track_days=0)
    assert popular <= zone.films(tmdb.today) | zone.films(tmdb.today, 404)


def test_tracking_can_be_switched_off(extract: Extract, tmdb: StandIn, zone: Zone) -> None:
    tmdb.repeats = 0.0
    extract(pages=2)
    next_day(tmdb)
    extract(pages=1, track_days=0)
    assert len(zone.films(tmdb.today) | zone.films(tmdb.today, 404)) == 20


def test_a_404_is_asked_again_while_its_film_is_tracked(extract: Extract, tmdb: StandIn, zone: Zone) -> None:
    tmdb.repeats = 0.0
    extract(pages=1, track_days=5)
    film = min(zone.films())
    tmdb.delete(film, since=DAY + timedelta(days=1))
    next_day(tmdb)
    extract(pages=1, track_days=5)
    assert film in zone.films(tmdb.today, 404)
    tmdb.restore(film)  # a 404 can outlive its cause by hours
    next_day(tmdb)
    extract(pages=1, track_days=5)
    assert film in zone.films(tmdb.today)


def test_films_of_an_export_or_of_changes_are_not_tracked(
    extract: Extract, tmdb: StandIn, zone: Zone
) -> None:
    extract(mode="export", limit=200)
    next_day(tmdb)
    extract(pages=1)
    assert len(zone.films(tmdb.today)) <= 20


class TestFullPayloads:
    """With credits and keywords: `GET /movie/{id}?append_to_response=…`."""

    def test_a_new_film_is_full_and_a_known_one_is_not(
        self, extract: Extract, tmdb: StandIn, zone: Zone
    ) -> None:
        extract(pages=3, full_days=3660)
        assert full(zone, DAY) == zone.films()
        next_day(tmdb)
        extract(pages=4, full_days=3660)
        new = zone.films(tmdb.today) - zone.films(DAY)
        assert new
        spread = {
            film
            for film in zone.films(tmdb.today)
            if ((tmdb.today - date(2000, 1, 1)).days + film) % 3660 == 0
        }
        assert full(zone, tmdb.today) == new | spread

    def test_each_film_is_full_once_in_the_period_and_not_all_on_one_day(
        self, extract: Extract, tmdb: StandIn, zone: Zone
    ) -> None:
        tmdb.repeats = 0.0
        extract(pages=3, full_days=5)
        watched = zone.films()
        seen: dict[int, list[int]] = {film: [0] for film in watched}
        for day in range(1, 11):
            next_day(tmdb)
            extract(pages=3, full_days=5)
            for film in full(zone, tmdb.today) & watched:
                seen[film].append(day)
        alive = watched & zone.films(tmdb.today)
        assert len(alive) > 30
        for film in alive:
            days = [*seen[film], 11]
            assert all(later - earlier <= 5 for earlier, later in pairwise(days)), (film, days)
        # in the second period, no day has more than half of them
        for day in range(6, 11):
            assert sum(day in seen[film] for film in alive) < len(alive) / 2

    def test_a_run_of_the_same_day_does_not_replace_a_full_payload_by_a_lean_one(
        self, extract: Extract, zone: Zone
    ) -> None:
        extract(pages=3)
        extract(pages=3)
        assert full(zone, DAY) == zone.films()

    def test_an_older_day_landed_late_needs_no_full_payload_again(
        self, extract: Extract, tmdb: StandIn, zone: Zone
    ) -> None:
        extract(pages=2)
        tmdb.today = DAY - timedelta(days=2)
        extract(pages=2)
        known = zone.films(tmdb.today) & zone.films(DAY)
        assert known and not full(zone, tmdb.today) & known


class TestASecondRun:
    def test_after_a_finished_run_of_the_date_all_is_fetched_again(
        self, extract: Extract, tmdb: StandIn, zone: Zone
    ) -> None:
        extract(pages=2)
        film = min(zone.films())
        tmdb.override(film, {"vote_count": 987_654})
        before = zone.one("select count(*) from raw.tmdb_response")
        tmdb.traffic.reset()
        extract(pages=2)
        assert tmdb.traffic.count("/3/movie/") >= 38
        assert (
            zone.one("select payload -> 'vote_count' from raw.tmdb_response where resource_id = %s", film)
            == 987_654
        )
        assert abs(zone.one("select count(*) from raw.tmdb_response") - before) <= 2  # pages that moved
        zone.assert_counts_are_true()

    def test_after_an_unfinished_run_only_what_it_had_not_landed(
        self, extract: Extract, tmdb: StandIn, zone: Zone
    ) -> None:
        tmdb.repeats = 0.0
        extract(pages=5)
        undisturbed = zone.fingerprint()
        # as if the run had been killed before it landed these
        missing = sorted(zone.films())[10:40]
        zone.execute("delete from raw.tmdb_response where resource_id = any(%s)", missing)
        zone.execute("update raw.extract_run set status = 'running', finished_at = null")
        tmdb.traffic.reset()
        extract(pages=5)
        assert tmdb.traffic.count("/3/movie/") == len(missing)
        assert tmdb.traffic.count("/3/configuration") == tmdb.traffic.count("/3/genre") == 0
        assert zone.fingerprint() == undisturbed
        zone.assert_counts_are_true()
        ((status, error),) = zone.rows("select status, error from raw.extract_run where run_id = 1")
        assert status == "interrupted" and "without a word" in error
        # and that one finished: now all again
        tmdb.traffic.reset()
        extract(pages=5)
        assert tmdb.traffic.count("/3/movie/") == 100

    def test_a_chain_of_unfinished_runs_counts_as_one(
        self, extract: Extract, tmdb: StandIn, zone: Zone
    ) -> None:
        tmdb.repeats = 0.0
        extract(pages=5)
        films = sorted(zone.films())
        other, missing = films[:30], films[30:50]
        zone.execute("delete from raw.tmdb_response where resource_id = any(%s)", missing)
        zone.execute("update raw.extract_run set status = 'interrupted'")
        zone.execute(
            "insert into raw.extract_run (mode, parameters, snapshot_date, status)"
            " values ('export', '{}', %s, 'failed')",
            DAY,
        )
        zone.execute("update raw.tmdb_response set run_id = 2 where resource_id = any(%s)", other)
        tmdb.traffic.reset()
        extract(pages=5)
        assert tmdb.traffic.count("/3/movie/") == len(missing)

    def test_an_unfinished_run_of_another_date_is_none_of_its_business(
        self, extract: Extract, tmdb: StandIn, zone: Zone
    ) -> None:
        extract(pages=1)
        zone.execute("update raw.extract_run set status = 'interrupted'")
        next_day(tmdb)
        tmdb.traffic.reset()
        extract(pages=1)
        assert tmdb.traffic.count("/3/movie/") >= 19


class TestTheCatalogue:
    def test_pages_end_where_the_films_end(self, extract: Extract, tmdb: StandIn, zone: Zone) -> None:
        tmdb.repeats = 0.0
        extract(pages=400)
        assert zone.films() | zone.films(status=404) == set(tmdb.ids())
        assert tmdb.traffic.count("/3/discover") == -(-len(tmdb.ids()) // 20)

    @pytest.mark.slow
    def test_beyond_page_500_the_id_export_goes_on(
        self, extract: Extract, tmdb: StandIn, zone: Zone, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        # as if TMDB had 5 pages and no more: 100 of 300 films without the export
        monkeypatch.setattr("extractor.choice.films.LAST_PAGE", 5)
        tmdb.repeats = 0.0
        extract(pages=10)
        dated = [film for film in tmdb.ids() if (tmdb.film(film) or {"release_date": "x"})["release_date"]]
        undated = [film for film in tmdb.ids()[:100] if film not in dated]
        expected = set(tmdb.ids()[:100]) | set(dated[: 200 - len(undated)])
        assert len(expected) == 200
        landed = zone.films() | zone.films(status=404)
        assert set(tmdb.ids()[:100]) <= landed and len(landed) == 200
        # the stand-in, like TMDB, ranks by a popularity that its answers show rounded
        assert len(landed - expected) <= 3
        assert zone.last_run()["status"] == "finished"
        # and the whole of it
        extract(pages=50)
        assert set(dated) <= zone.films() | zone.films(status=404)

    def test_limit_and_popularity_narrow_it(self, extract: Extract, tmdb: StandIn, zone: Zone) -> None:
        tmdb.repeats = 0.0
        extract(pages=3, limit=17)
        assert zone.films() | zone.films(status=404) == set(tmdb.ids()[:17])
        next_day(tmdb)
        least = sorted((tmdb.film(film) or {"popularity": 0})["popularity"] for film in tmdb.ids()[:60])[30]
        extract(pages=3, min_popularity=least, track_days=0)
        for film in zone.films(tmdb.today):
            assert (tmdb.film(film) or {})["popularity"] >= least
        assert 20 <= len(zone.films(tmdb.today)) <= 35

    def test_a_page_that_cannot_be_read_fails_the_run_but_lands_the_rest(
        self, extract: Extract, tmdb: StandIn, zone: Zone
    ) -> None:
        tmdb.repeats = 0.0
        tmdb.faults = Faults({"500": 1.0}, attempts=99, paths=r"/3/discover/movie$")
        page = tmdb.faults.choose

        def only_page_two(path: str, query: str, day: int, *, found: bool) -> str | None:
            return page(path, query, day, found=found) if "page=2" in query.split("&") else None

        tmdb.faults.choose = only_page_two  # type: ignore[method-assign]
        with pytest.raises(RunFailedError, match="discover 2"):
            extract(pages=3, max_tries=2)
        assert len(zone.films() | zone.films(status=404)) == 40
        run = zone.last_run()
        assert run["status"] == "failed" and run["failed"] == 1
        assert zone.rows("select resource, resource_id, reason from raw.extract_failure") == [
            ("discover", 2, "http_500")
        ]
        zone.assert_counts_are_true()
