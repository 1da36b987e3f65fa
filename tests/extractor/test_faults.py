"""Faults, injected by the stand-in: what can be had is landed once, the rest is recorded with its reason."""

import logging
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

import pytest

from common.errors import ConfigurationError
from demo import answers
from demo.faults import KINDS, Faults
from demo.server import StandIn
from extractor import answer
from extractor.errors import RunFailedError, SourceError
from extractor.http import retry_after
from extractor.options import DEFAULTS
from extractor.pace import Pace
from tests.extractor.conftest import DAY, TOKEN, Extract, Zone
from tests.left_out import slow_but

#: What a film fails with in the end that meets the fault every time.
REASONS = {
    "500": "http_500",
    "text": "not_json",
    "502": "http_502",
    "503": "http_503",
    "reset": "connection",
    "hang": "timeout",
    "truncated": "connection",
    "list": "not_an_object",
    "error-body": "error_body",
    "other-film": "other_id",
    "huge": "body_too_large",
    "huge-length": "body_too_large",
    "redirect": "redirect",
    "echo": "http_500",
}
#: Faults that harm nothing.
HARMLESS = {"nul", "content-type", "gzip"}
THROTTLING = {"429", "429-date", "429-bare", "429-text"}


def assert_everything_is_landed(zone: Zone, tmdb: StandIn, films: set[int]) -> None:
    assert zone.films() | zone.films(status=404) == films
    assert zone.one("select count(*) from raw.extract_failure") == 0
    assert zone.last_run()["status"] == "finished"
    zone.assert_counts_are_true()
    for film in zone.films():
        payload = zone.one(
            "select payload from raw.tmdb_response where resource = 'movie' and resource_id = %s", film
        )
        sent = tmdb.film(film) or {}
        # the NUL is also one of the catalogue's own quirks
        overview = sent.pop("overview").replace("\0", "").removeprefix("Brokenoff: ")
        assert payload["overview"].removeprefix("Brokenoff: ") == overview
        assert {key: payload[key] for key in sent} == sent


@pytest.mark.parametrize("kind", slow_but(3, dict.fromkeys(["500", "truncated", "page-short", *KINDS])))
def test_each_fault_alone(extract: Extract, tmdb: StandIn, zone: Zone, kind: str) -> None:
    films = set(tmdb.ids()[:120])
    tmdb.repeats = 0.0
    share = 0.9 if kind.startswith("page-") else 0.15  # there are six pages, and twenty times as many films
    tmdb.faults = Faults({kind: share}, retry_after=0, huge_bytes=9 << 20, attempts=2)
    # shorter than a hang, longer than a huge body on a busy machine
    extract(pages=6, timeout=2 if kind == "hang" else 20)
    injected = tmdb.faults.injected[kind]
    assert injected >= 8
    assert_everything_is_landed(zone, tmdb, films)
    run = zone.last_run()
    if kind in HARMLESS:
        assert run["retried"] == 0
    else:
        # a busy machine may be slower than what is called a hang here
        assert run["retried"] == injected or (kind == "hang" and run["retried"] > injected)
    broken = zone.rows("select resource_id, alteration from raw.tmdb_response where alteration is not null")
    quirks = {film for film in films if "\0" in (tmdb.film(film) or {"overview": ""})["overview"]}
    assert {alteration for _, alteration in broken} <= {"removed 1 NUL"}
    assert len({film for film, _ in broken} - quirks) >= (injected - len(quirks) if kind == "nul" else 0)
    assert kind == "nul" or {film for film, _ in broken} == quirks


@pytest.mark.slow
def test_all_faults_mixed(
    zone: Zone, monkeypatch: pytest.MonkeyPatch, extract: Extract, tmdb: StandIn
) -> None:
    tmdb.use(films=11_000, seed="faults")
    tmdb.repeats = 0.0
    # The biggest are half of all bytes here: they are as large as need be to be refused.
    # Of all requests few are for pages: those fail more often, or a kind of theirs would not be drawn at all.
    pages = "page-empty=0.02,page-short=0.02,page-none=0.02"
    tmdb.faults = Faults.parse(f"all=0.06,{pages},retry-after=0,huge-mb=9", seed=7)
    extract(pages=500, timeout=3)
    assert set(tmdb.faults.injected) == set(KINDS)
    assert zone.films() | zone.films(status=404) == set(tmdb.ids()[:10_000])
    assert zone.one("select count(*) from raw.extract_failure") == 0
    run = zone.last_run()
    assert run["status"] == "finished" and run["requested"] == 10_006
    # a busy machine has timeouts of its own; each fault alone is counted exactly above
    assert run["retried"] >= sum(
        number for kind, number in tmdb.faults.injected.items() if kind not in HARMLESS
    )
    zone.assert_counts_are_true()
    # each with all its blocks
    whole = answer.full_jsonpath(DEFAULTS["TMDB_BLOCKS"].split(","))
    lacking = zone.one(
        "select count(*) from raw.tmdb_response where resource = 'movie' and http_status = 200"
        " and (payload @@ %s::jsonpath) is not true",
        whole,
    )
    assert (run["partial"], lacking) == (0, 0)
    assert zone.one("select count(*) from raw.tmdb_response where payload::text like %s", f"%{TOKEN}%") == 0


@pytest.mark.parametrize(("kind", "reason"), slow_but(2, REASONS.items()))
def test_what_never_passes_is_recorded_with_its_reason(
    extract: Extract, tmdb: StandIn, zone: Zone, kind: str, reason: str
) -> None:
    tmdb.repeats = 0.0
    films = set(tmdb.ids()[:200])
    lost = sorted(films)[7]
    tmdb.faults = Faults(permanent={lost: kind}, huge_bytes=9 << 20)
    extract(pages=10, max_tries=2, timeout=3 if kind == "hang" else 20)
    assert zone.films() | zone.films(status=404) == films - {lost}
    ((resource, film, day, got, detail, body),) = zone.rows(
        "select resource, resource_id, snapshot_date, reason, detail, body from raw.extract_failure"
    )
    assert (resource, film, day, got) == ("movie", lost, DAY, reason)
    assert detail and TOKEN not in detail
    assert body is None or len(body) <= 64 << 10
    # one of 203: that is tolerated, told and counted
    run = zone.last_run()
    assert (run["status"], run["failed"]) == ("finished", 1)
    zone.assert_counts_are_true()


def test_the_last_answer_of_a_failure_is_kept(extract: Extract, tmdb: StandIn, zone: Zone) -> None:
    lost = tmdb.ids()[0]
    tmdb.faults = Faults(permanent={lost: "text"})
    extract(pages=10, max_tries=2)
    ((body, status),) = zone.rows("select body, http_status from raw.extract_failure")
    assert bytes(body).startswith(b"upstream connect error") and status == 200


def test_more_than_one_percent_failed_fails_the_run_but_what_landed_stays(
    extract: Extract, tmdb: StandIn, zone: Zone
) -> None:
    tmdb.repeats = 0.0
    films = tmdb.ids()[:200]
    lost = set(films[10:14])
    tmdb.faults = Faults(permanent=dict.fromkeys(lost, "500"))
    with pytest.raises(RunFailedError, match="4 of 206 could not be landed"):
        extract(pages=10, max_tries=1)
    assert zone.films() | zone.films(status=404) == set(films) - lost
    run = zone.last_run()
    assert run["status"] == "failed" and "4 of 206" in run["error"]
    zone.assert_counts_are_true()
    # the next run fetches only these
    tmdb.faults = Faults()
    tmdb.traffic.reset()
    extract(pages=10)
    assert {int(path[9:]) for path in tmdb.traffic.paths if path.startswith("/3/movie/")} == lost
    assert zone.films() | zone.films(status=404) == set(films)
    assert zone.last_run()["status"] == "finished"


def test_a_list_that_cannot_be_had_fails_the_run(extract: Extract, tmdb: StandIn, zone: Zone) -> None:
    tmdb.faults = Faults({"text": 1.0}, attempts=99, paths="/3/configuration/languages")
    with pytest.raises(RunFailedError, match="language_list"):
        extract(pages=10, max_tries=2)
    assert len(zone.films()) > 150
    assert zone.one("select reason from raw.extract_failure where resource = 'language_list'") == "not_json"


def test_an_outage_in_the_middle_ends_the_run_and_the_next_goes_on(
    extract: Extract, tmdb: StandIn, zone: Zone, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("extractor.pipeline._OUTAGE", 20)
    tmdb.repeats = 0.0
    films = set(tmdb.ids()[:200])
    tmdb.faults = Faults({"503": 1.0}, attempts=99, paths=r"/3/movie/\d*[02468]$")
    choose, asked = tmdb.faults.choose, 0

    def from_the_fiftieth_on(path: str, query: str, day: int, *, found: bool) -> str | None:
        nonlocal asked
        asked += path.startswith("/3/movie/")
        return "503" if asked > 50 else None

    tmdb.faults.choose = from_the_fiftieth_on  # type: ignore[method-assign]
    assert choose
    with pytest.raises(SourceError, match="20 times in a row, last with http_503"):
        extract(pages=10, max_tries=1)
    landed = zone.films() | zone.films(status=404)
    assert 40 <= len(landed) <= 50
    run = zone.last_run()
    assert run["status"] == "failed" and run["finished_at"] is not None
    zone.assert_counts_are_true()
    tmdb.faults = Faults()
    tmdb.traffic.reset()
    extract(pages=10)
    assert tmdb.traffic.count("/3/movie/") == 200 - len(landed)
    assert zone.films() | zone.films(status=404) == films


def test_a_token_that_is_withdrawn_ends_the_run_at_once(extract: Extract, tmdb: StandIn, zone: Zone) -> None:
    real = tmdb.route

    def withdrawn(request: Any, path: str) -> Any:
        if tmdb.traffic.count("/3/movie/") > 60:
            tmdb.token = "another"
        return real(request, path)

    tmdb.route = withdrawn  # type: ignore[method-assign]
    with pytest.raises(ConfigurationError, match=r"refused the token.*TMDB_TOKEN"):
        extract(pages=10)
    assert tmdb.traffic.count("/3/movie/") < 60 + 3 * 20
    run = zone.last_run()
    assert run["status"] == "failed" and "TMDB_TOKEN" in run["error"]
    assert len(zone.films()) >= 50
    zone.assert_counts_are_true()


def test_a_404_that_is_not_tmdbs_is_no_tombstone(extract: Extract, tmdb: StandIn, zone: Zone) -> None:
    lost = tmdb.ids()[0]
    route = tmdb.route

    def behind_a_proxy(request: Any, path: str) -> Any:
        return answers.html(404) if path == f"/3/movie/{lost}" else route(request, path)

    tmdb.route = behind_a_proxy  # type: ignore[method-assign]
    extract(pages=10, max_tries=2)
    assert lost not in zone.films(status=404)
    assert zone.one("select reason from raw.extract_failure") == "not_tmdb_404"


class TestTooManyRequests:
    """429: the whole client slows down, and speeds up again."""

    @pytest.mark.slow
    def test_the_limit_of_a_stricter_server_is_found(
        self, extract: Extract, tmdb: StandIn, zone: Zone, caplog: pytest.LogCaptureFixture
    ) -> None:
        tmdb.repeats = 0.0
        tmdb.max_rps = 40
        with caplog.at_level(logging.INFO):
            extract(pages=8, max_rps=400)
        assert len(zone.films() | zone.films(status=404)) == 160
        assert zone.last_run()["failed"] == 0
        assert "too many requests: pausing" in caplog.text
        # far fewer than one request in three is refused, although it asks for ten times the limit
        assert tmdb.traffic.limited <= tmdb.traffic.total / 3

    def test_nobody_asks_while_the_server_wants_to_be_left_alone(
        self, extract: Extract, tmdb: StandIn, zone: Zone
    ) -> None:
        tmdb.repeats = 0.0
        tmdb.faults = Faults({"429": 1.0}, attempts=1, paths=rf"/3/movie/{tmdb.ids()[50]}$", retry_after=2)
        extract(pages=5, max_rps=200)
        times = sorted(tmdb.traffic.times)
        # where the requests arrive, which is a little later than where they start
        assert max(later - earlier for earlier, later in pairwise(times)) >= 1.5
        assert tmdb.faults.injected["429"] == 1

    @pytest.mark.parametrize("kind", slow_but(1, sorted(THROTTLING)))
    def test_a_film_that_is_always_refused_fails_in_the_end(
        self,
        extract: Extract,
        tmdb: StandIn,
        zone: Zone,
        monkeypatch: pytest.MonkeyPatch,
        kind: str,
    ) -> None:
        monkeypatch.setattr("extractor.pace._PAUSE", 0.01)
        monkeypatch.setattr("extractor.pace._MAX_PAUSE", 0.02)
        lost = tmdb.ids()[0]
        tmdb.faults = Faults(permanent={lost: kind}, retry_after=0)
        extract(pages=10)
        assert zone.one("select reason from raw.extract_failure") == "http_429"
        assert zone.last_run()["status"] == "finished"


def test_the_connections_are_never_more_than_allowed(extract: Extract, tmdb: StandIn, zone: Zone) -> None:
    tmdb.latency = 0.01
    tmdb.faults = Faults({"reset": 0.05, "500": 0.05, "truncated": 0.05}, attempts=2)
    extract(pages=5, max_connections=7)
    assert 3 <= tmdb.traffic.peak_in_flight <= 7
    assert tmdb.traffic.peak_connections <= 7


def test_the_pace_holds_for_whatever_is_sent(
    extract: Extract, tmdb: StandIn, zone: Zone, monkeypatch: pytest.MonkeyPatch
) -> None:
    starts: list[float] = []
    turn = Pace.turn

    async def noted(pace: Pace) -> float:
        starts.append(await turn(pace))
        return starts[-1]

    monkeypatch.setattr(Pace, "turn", noted)
    tmdb.latency = 0.02
    tmdb.faults = Faults({"reset": 0.1, "500": 0.1}, attempts=2)
    extract(pages=6, max_rps=60)
    # pages, lists, films and retries, and nothing else
    assert tmdb.traffic.total == len(starts) >= 129 + 20
    for place in range(66, len(starts)):
        assert starts[place] - starts[place - 66] > 1


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("3", 3.0),
        ("0", 0.0),
        ("-5", 0.0),
        ("2.5", 2.5),
        ("999999", 120.0),
        ("Thu, 20 Aug 2026 12:00:30 GMT", 30.0),
        ("Thu, 20 Aug 2026 11:00:00 GMT", 0.0),
        ("Thursday, 20-Aug-26 12:00:07 GMT", 7.0),
        ("Wed, 20 Aug 2098 12:00:30 GMT", 120.0),
        ("nan", None),
        ("soon", None),
        ("", None),
        (None, None),
    ],
)
def test_retry_after_is_read_in_both_forms_and_clamped(text: str | None, expected: float | None) -> None:
    assert retry_after(text, datetime(2026, 8, 20, 12, tzinfo=UTC)) == expected
