"""Mode changes: what changed since the last run, or everything when TMDB no longer tells."""

from datetime import date, timedelta

import pytest

from demo.server import StandIn
from tests.extractor.conftest import DAY, Extract, Zone


def later(tmdb: StandIn, days: int) -> date:
    tmdb.today = DAY + timedelta(days=days)
    return tmdb.today


def landed(zone: Zone, day: date) -> set[int]:
    return zone.films(day) | zone.films(day, 404)


def asked_for(tmdb: StandIn, first: date, last: date) -> set[int]:
    """What the stand-in's own list of changes says, adult films left out."""
    films = tmdb.films.changes(first.toordinal(), last.toordinal())
    return {row.film_id for row in films if row.adult is not True}


def test_what_changed_since_the_last_run_is_fetched_whole(
    extract: Extract, tmdb: StandIn, zone: Zone
) -> None:
    extract(mode="export")
    today = later(tmdb, 3)
    film = tmdb.ids()[5]
    tmdb.override(film, {"tagline": "Changed"}, since=today)
    tmdb.traffic.reset()
    extract(mode="changes")
    assert landed(zone, today) == asked_for(tmdb, DAY - timedelta(days=1), today)
    assert film in zone.films(today)
    assert 0 < len(landed(zone, today)) < 100
    assert zone.one(
        "select bool_and(payload ? 'credits' and payload ? 'keywords') from raw.tmdb_response"
        " where resource = 'movie' and http_status = 200 and snapshot_date = %s",
        today,
    )
    assert tmdb.traffic.count("/3/movie/changes") >= 1
    assert zone.last_run()["mode"] == "changes"
    zone.assert_counts_are_true()


def test_the_next_run_goes_on_from_this_one(extract: Extract, tmdb: StandIn, zone: Zone) -> None:
    extract(mode="export", limit=3)
    later(tmdb, 10)
    extract(mode="changes")
    today = later(tmdb, 12)
    extract(mode="changes")
    # a day of overlap: what changed late may have been read as it was before, answers are cached for hours
    assert landed(zone, today) == asked_for(tmdb, DAY + timedelta(days=9), today)


def test_popular_runs_between_do_not_hide_changes(extract: Extract, tmdb: StandIn, zone: Zone) -> None:
    extract(mode="export")
    later(tmdb, 5)
    extract(pages=1)
    today = later(tmdb, 6)
    extract(mode="changes")
    assert landed(zone, today) >= asked_for(tmdb, DAY - timedelta(days=1), today)


@pytest.mark.slow
def test_a_limited_run_does_not_count_as_having_seen_all_changes(
    extract: Extract, tmdb: StandIn, zone: Zone
) -> None:
    extract(mode="export")
    later(tmdb, 4)
    extract(mode="changes", limit=2)
    assert len(landed(zone, tmdb.today)) == 2
    today = later(tmdb, 5)
    extract(mode="changes")
    assert landed(zone, today) == asked_for(tmdb, DAY - timedelta(days=1), today)


@pytest.mark.slow
def test_an_unfinished_run_does_not_count_either(extract: Extract, tmdb: StandIn, zone: Zone) -> None:
    extract(mode="export")
    later(tmdb, 4)
    extract(mode="changes")
    zone.execute("update raw.extract_run set status = 'interrupted' where mode = 'changes'")
    today = later(tmdb, 5)
    extract(mode="changes")
    assert landed(zone, today) == asked_for(tmdb, DAY - timedelta(days=1), today)


@pytest.mark.parametrize(("gap", "is_full_pass"), [(13, False), (14, True)])
def test_a_gap_that_leaves_no_day_to_overlap_means_a_full_pass_and_says_so(
    extract: Extract,
    tmdb: StandIn,
    zone: Zone,
    caplog: pytest.LogCaptureFixture,
    gap: int,
    is_full_pass: bool,
) -> None:
    extract(mode="export", limit=5)
    today = later(tmdb, gap)
    extract(mode="changes")
    said = f"the last run was on {DAY}" in caplog.text and "fetching the whole catalogue" in caplog.text
    assert said is is_full_pass
    alive = {film for film in tmdb.ids(today) if tmdb.film(film)}
    assert (landed(zone, today) >= alive) is is_full_pass
    if not is_full_pass:
        assert landed(zone, today) == asked_for(tmdb, DAY - timedelta(days=1), today)


def test_without_any_run_before_it_is_a_full_pass(
    extract: Extract, tmdb: StandIn, zone: Zone, caplog: pytest.LogCaptureFixture
) -> None:
    extract(mode="changes", limit=40)
    assert "there was no run before" in caplog.text
    assert len(landed(zone, DAY)) == 40


def test_a_film_that_was_deleted_lands_as_a_tombstone(extract: Extract, tmdb: StandIn, zone: Zone) -> None:
    extract(mode="export", limit=50)
    today = later(tmdb, 1)
    film = min(zone.films(DAY))
    tmdb.delete(film, since=today)  # the list then has it with `adult` null
    extract(mode="changes")
    assert film in zone.films(today, 404)


def test_only_films_that_are_popular_or_not_known(extract: Extract, tmdb: StandIn, zone: Zone) -> None:
    extract(mode="export", limit=200)
    today = later(tmdb, 2)
    changed = asked_for(tmdb, DAY - timedelta(days=1), today)
    popularity = dict(
        zone.rows(
            "select resource_id, (payload ->> 'popularity')::float8 from raw.tmdb_response"
            " where resource = 'movie' and http_status = 200"
        )
    )
    known = sorted(popularity[film] for film in changed if film in popularity)
    least = known[len(known) // 2]
    extract(mode="changes", min_popularity=least)
    expected = {film for film in changed if popularity.get(film, least) >= least}
    assert landed(zone, today) == expected
    assert 0 < len(expected) < len(changed)


def test_a_range_with_too_many_pages_is_halved(
    extract: Extract, tmdb: StandIn, zone: Zone, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("demo.api.CHANGES_PAGE", 10)
    monkeypatch.setattr("extractor.choice.films.CHANGES_PAGE_FILMS", 10)
    monkeypatch.setattr("extractor.choice.films.LAST_PAGE", 5)
    extract(mode="export", limit=3)
    today = later(tmdb, 12)
    expected = asked_for(tmdb, DAY - timedelta(days=1), today)
    assert len(expected) > 50
    extract(mode="changes")
    # windows see a film only in the days when it changed, so the list of all of them may have a few more
    assert len(landed(zone, today) ^ expected) <= 0.1 * len(expected)
    assert zone.last_run()["status"] == "finished"


def test_changes_on_one_page_are_all_read(
    extract: Extract, tmdb: StandIn, zone: Zone, monkeypatch: pytest.MonkeyPatch
) -> None:
    # as TMDB did from 2019 to 2022: everything on one page, total_pages 1
    monkeypatch.setattr("demo.api.CHANGES_PAGE", 10_000)
    extract(mode="export", limit=3)
    today = later(tmdb, 12)
    extract(mode="changes")
    assert landed(zone, today) == asked_for(tmdb, DAY - timedelta(days=1), today)
    assert len(landed(zone, today)) > 20
