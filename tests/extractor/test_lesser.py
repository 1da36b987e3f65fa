"""An answer that is less than was asked for: it never replaces more, and never passes for success."""

import asyncio
import gzip
from datetime import timedelta
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from demo.faults import KINDS, Faults
from demo.server import StandIn
from extractor import answer, landing
from extractor.errors import RunFailedError
from extractor.options import DEFAULTS
from extractor.rows import MAX_BODY, Row
from tests.extractor.conftest import DAY, Extract, Zone
from tests.extractor.test_tmdb import FILM, Server, fetch, server
from tests.left_out import slow_but

__all__ = ["fetch", "server"]

FULL = "select count(*) from raw.tmdb_response where payload ? 'credits' and payload ? 'keywords'"
LACKING = ["blocks-missing", "blocks-null", "blocks-error"]


@pytest.fixture
def films(tmdb: StandIn) -> set[int]:
    tmdb.repeats = 0.0
    return {film for film in tmdb.ids()[:40] if tmdb.film(film)}


class TestBlocks:
    @pytest.mark.parametrize("kind", slow_but(1, LACKING))
    def test_a_rerun_without_them_replaces_no_full_payload(
        self, extract: Extract, tmdb: StandIn, zone: Zone, films: set[int], kind: str
    ) -> None:
        extract(pages=2)
        full, before = zone.one(FULL), zone.fingerprint()
        assert full == len(films)
        tmdb.faults = Faults({kind: 1.0}, attempts=99, paths=r"/3/movie/\d+$")
        summary = extract(pages=2, max_tries=2)
        run = zone.last_run()
        assert zone.fingerprint() == before and zone.one(FULL) == full
        assert (run["status"], run["landed"], run["kept"], run["failed"]) == ("finished", 6, full, 0)
        assert f"{full} kept as they were" in str(summary)

    @pytest.mark.parametrize("kind", slow_but(1, LACKING))
    def test_a_film_without_them_is_landed_and_asked_for_in_full_the_next_day(
        self, extract: Extract, tmdb: StandIn, zone: Zone, films: set[int], kind: str
    ) -> None:
        tmdb.faults = Faults({kind: 1.0}, attempts=99, paths=r"/3/movie/\d+$")
        summary = extract(pages=2, max_tries=2)
        assert zone.films() == films
        # a block that is null or an error is no block: absence is never taken for emptiness
        for name in ("credits", "keywords"):
            bad = "payload ? %s and (payload @@ %s::jsonpath) is not true"
            assert (
                zone.rows(
                    f"select payload from raw.tmdb_response where {bad}", name, answer.full_jsonpath([name])
                )
                == []
            )
        whole = answer.full_jsonpath(DEFAULTS["TMDB_BLOCKS"].split(","))
        assert zone.rows("select 1 from raw.tmdb_response where payload @@ %s::jsonpath", whole) == []
        run = zone.last_run()
        assert (run["status"], run["partial"], run["failed"]) == ("finished", len(films), 0)
        assert f"({len(films)} of them without the blocks asked for)" in str(summary)
        left_out = zone.one("select count(*) from raw.tmdb_response where alteration like '%%left out %%'")
        assert left_out == (0 if kind == "blocks-missing" else len(films))
        tmdb.faults = Faults()
        tmdb.today = DAY + timedelta(days=1)
        extract(pages=2)
        assert zone.films(tmdb.today) <= {
            film
            for (film,) in zone.rows(
                "select resource_id from raw.tmdb_response where snapshot_date = %s and payload ? 'credits'",
                tmdb.today,
            )
        }

    def test_what_came_once_is_not_lost_when_the_next_try_fails(self, fetch: Any, server: Server) -> None:
        server.answers = [(200, {}, b'{"id":603,"title":"x"}'), (500, {}, b"{}")]
        outcome = fetch()
        assert outcome.body == b'{"id":603,"title":"x"}' and outcome.lacking == ("credits", "keywords")

    @pytest.mark.slow
    def test_when_they_are_out_for_everybody_the_tries_end(
        self, extract: Extract, tmdb: StandIn, zone: Zone, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("extractor.tmdb._BLOCKS_ARE_OUT", 5)
        tmdb.repeats = 0.0
        tmdb.faults = Faults({"blocks-missing": 1.0}, attempts=99, paths=r"/3/movie/\d+$")
        extract(pages=10, max_tries=2, max_connections=1)
        assert zone.last_run()["retried"] == 5 and zone.last_run()["partial"] == len(zone.films())

    def test_a_payload_of_the_older_form_is_no_full_one(
        self, extract: Extract, zone: Zone, films: set[int]
    ) -> None:
        """Versions before took a null or an error in a block's place for the block."""
        extract(pages=2)
        film = min(films)
        zone.execute(
            "update raw.tmdb_response set payload = payload || '{\"credits\": null}', snapshot_date = %s"
            " where resource = 'movie' and resource_id = %s",
            DAY - timedelta(days=1),
            film,
        )
        zone.execute("delete from raw.tmdb_response where resource = 'movie' and snapshot_date = %s", DAY)
        extract(pages=2)
        assert zone.one(
            "select payload -> 'credits' ? 'cast' from raw.tmdb_response"
            " where resource = 'movie' and resource_id = %s and snapshot_date = %s",
            film,
            DAY,
        )

    @given(
        st.lists(
            st.tuples(st.integers(1, 3), st.sets(st.sampled_from(sorted(answer.BLOCKS)), max_size=3)),
            max_size=12,
        )
    )
    @settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
    def test_in_whatever_order_payloads_come_no_block_is_lost(
        self, zone: Zone, payloads: list[tuple[int, set[str]]]
    ) -> None:
        expected: dict[int, set[str]] = {}
        kept = 0

        async def land() -> None:
            nonlocal kept
            async with landing.writer() as opened:
                await opened.begin("popular", {}, DAY)
                for film, blocks in payloads:
                    body = orjson.dumps({"id": film} | {name: {} for name in blocks})
                    await opened.write([Row("movie", film, 200, body, "popular")])
                    if expected.get(film, set()) <= blocks:
                        expected[film] = blocks
                    else:
                        kept += 1
                await opened.finish("finished")
                assert opened.counts.kept == kept

        zone.execute("drop schema if exists raw cascade")
        asyncio.run(land())
        landed = zone.rows("select resource_id, payload from raw.tmdb_response")
        assert {film: payload.keys() - {"id"} for film, payload in landed} == expected

    @pytest.mark.parametrize("name", answer.BLOCKS)
    def test_what_is_a_block_is_the_same_in_python_and_in_sql(self, zone: Zone, name: str) -> None:
        good = {member: kind() for member, kind in answer.BLOCKS[name].items()}
        error = {"success": False, "status_code": 34, "status_message": "…"}
        candidates: list[Any] = [good, None, [], "x", error, good | error]
        candidates += [{**good, member: None} for member in answer.BLOCKS[name]]
        candidates += [{key: value for key, value in good.items() if key != m} for m in answer.BLOCKS[name]]
        for candidate in candidates:
            document = {"id": 1, name: candidate}
            in_sql = zone.one(
                "select %s::text::jsonb @@ %s::jsonpath",
                orjson.dumps(document).decode(),
                answer.full_jsonpath([name]),
            )
            assert bool(in_sql) is answer.has_block(document, name), candidate
        assert answer.has_block({name: good}, name)

    def test_the_rest_of_a_film_with_a_bad_block_stays_digit_by_digit(self) -> None:
        body = b'{"id":1,"popularity":0.10,"big":12345678901234567890123,"credits":null,"keywords":'
        body += b'{"keywords":[]}}'
        left, words = answer.without_bad_blocks(body, orjson.loads(body))
        assert left == b'{"id":1,"popularity":0.10,"big":12345678901234567890123,"keywords":{"keywords":[]}}'
        assert words == "left out credits, which came as no such block"


class TestLists:
    @pytest.mark.parametrize("kind", slow_but(1, ["page-short", "page-empty", "page-none"]))
    @pytest.mark.parametrize("mode", slow_but(1, ["popular", "changes"]))
    def test_a_list_that_is_shorter_than_it_says_is_a_failed_run(
        self, extract: Extract, tmdb: StandIn, zone: Zone, kind: str, mode: str
    ) -> None:
        extract(mode="export")
        tmdb.today = DAY + timedelta(days=3)
        tmdb.faults = Faults({kind: 1.0}, attempts=99)
        with pytest.raises(
            RunFailedError, match=r"could not read (discover|changes 2026-08-19\.\.2026-08-23) 1"
        ):
            extract(pages=4, max_tries=2, mode=mode)
        run = zone.last_run()
        assert run["status"] == "failed"
        reasons = {reason for (reason,) in zone.rows("select reason from raw.extract_failure")}
        assert reasons == {"short_page"}
        # what was not on the list is not taken for gone
        assert zone.films(tmdb.today, 404) <= zone.films(DAY, 404) | {
            film for film in tmdb.ids() if tmdb.film(film) is None
        }

    @pytest.mark.parametrize("kind", slow_but(1, ["page-short", "page-empty", "page-none"]))
    def test_one_that_comes_whole_at_another_try_is_fine(
        self, extract: Extract, tmdb: StandIn, zone: Zone, films: set[int], kind: str
    ) -> None:
        tmdb.faults = Faults({kind: 1.0}, attempts=1)
        extract(pages=2)
        assert zone.films() == films and zone.last_run()["retried"] == 2

    def test_one_that_says_it_has_fewer_pages_than_its_total_is_read_to_the_total(
        self, extract: Extract, tmdb: StandIn, zone: Zone, films: set[int], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setitem(KINDS, "page-none", lambda case: case.but(total_pages=1))
        tmdb.faults = Faults({"page-none": 1.0}, attempts=99)
        extract(pages=2)
        assert zone.films() == films and zone.last_run()["retried"] == 0

    @given(films=st.integers(101, 1000), drift=st.integers(0, 16), data=st.data())
    def test_the_last_page_is_no_short_one_whatever_total_it_has(
        self, films: int, drift: int, data: st.DataObject
    ) -> None:
        """Each page has a total of its own, and a number of pages that follows from it."""
        last = -(-films // 20)
        number = data.draw(st.sampled_from([last, last - 1, 1]))
        rows = [{"id": 1 + n} for n in range(min(20, films - (number - 1) * 20))]
        pages = -(-(films + drift) // 20)
        document = {"results": rows, "total_results": films + drift, "total_pages": pages}
        answer.whole_page(number, 20, answer.at_least(document, 20))(document)
        assert answer.page_count(document, 20) == pages

    @pytest.mark.parametrize("total", [None, "200", 0])
    def test_one_without_a_total_promises_its_pages(
        self, extract: Extract, tmdb: StandIn, zone: Zone, monkeypatch: pytest.MonkeyPatch, total: Any
    ) -> None:
        """Page 1 is right in all but its total; the others come empty."""

        def page(case: Any) -> Any:
            rows = case.document["results"] if case.document["page"] == 1 else []
            return case.but(results=rows, total_results=total)

        monkeypatch.setitem(KINDS, "page-short", page)
        tmdb.faults = Faults({"page-short": 1.0}, attempts=99)
        with pytest.raises(RunFailedError, match="could not read discover 2"):
            extract(pages=2, max_tries=1)

    def test_the_same_page_twice_is_less_than_promised(
        self, extract: Extract, tmdb: StandIn, zone: Zone, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("extractor.choice.films._REPEATED", 0.001)
        tmdb.repeats = 0.5
        with pytest.raises(
            RunFailedError, match=r"discover listed \d+ films, and its own total promises 200 on"
        ):
            extract(pages=10)


class TestPackedWithoutSayingSo:
    def test_it_is_unpacked(self, fetch: Any, server: Server) -> None:
        server.answers = [(200, {}, gzip.compress(FILM))]
        assert fetch().body == FILM and len(server.requests) == 1

    def test_a_half_of_it_is_asked_for_again(self, fetch: Any, server: Server) -> None:
        server.answers = [(200, {}, gzip.compress(FILM)[:-9]), (200, {}, b"\x1f\x8bnothing"), (200, {}, FILM)]
        assert fetch(TMDB_MAX_TRIES="3").body == FILM

    def test_nor_may_it_be_larger_than_any_other(self, fetch: Any, server: Server) -> None:
        server.answers = [(200, {}, gzip.compress(FILM[:-1] + b',"a":"' + b"x" * MAX_BODY + b'"}'))]
        assert fetch().reason == "body_too_large"

    def test_an_error_may_come_so_too(self, fetch: Any, server: Server) -> None:
        gone = b'{"success":false,"status_code":34,"status_message":"The resource could not be found."}'
        server.answers = [(404, {}, gzip.compress(gone))]
        assert (fetch().http_status, fetch().body) == (404, gone)
