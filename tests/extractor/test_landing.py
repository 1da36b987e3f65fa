"""The landing zone: what a row may be, what PostgreSQL refuses, what is bounded."""

import asyncio
import random
from datetime import date

import psycopg
import pytest

from common.report import Counts
from demo.server import StandIn
from extractor import landing, settings
from extractor.buffer import BATCH_BYTES, BATCH_ROWS, Buffer
from extractor.choice import films
from extractor.choice.idset import IdSet
from extractor.rows import Failure, Outcome, Row
from extractor.schema import MIGRATIONS
from tests.extractor.conftest import DAY, Extract, Program, Zone
from tests.left_out import slow_but


def write(batches: list[list[Outcome]], day: date = DAY) -> Counts:
    """Land these in one run."""

    async def run() -> Counts:
        async with landing.writer() as zone:
            await zone.begin("popular", {}, day)
            zone.requested = sum(map(len, batches))
            for batch in batches:
                await zone.write(batch)
            await zone.finish("finished")
            return zone.counts

    return asyncio.run(run())


def movie(film: int, body: str, status: int = 200) -> Row:
    return Row("movie", film, status, body.encode(), "popular")


def test_the_text_goes_in_as_it_came(zone: Zone) -> None:
    texts = [
        '{"id":1,"a":"tab\\tline\\nquote\\"back\\\\slash"}',
        '{"id":2,\n\t"a" : "white space between"  }',
        '{"id":3,"a":"é \\u00e9 😀 \\ud83d\\ude00 \u007f \u200b"}',
        '{"id":4,"a":0.1,"b":1e3,"c":2923706026,"d":12345678901234567890123,"e":7.20}',
        '{"id":5,"a":{"a":[[],{},null,true]},"":""}',
        '{"id":6,"a":"\\\\N","b":"\\\\."}',
    ]
    write([[movie(number, text) for number, text in enumerate(texts, 1)]])
    for number, text in enumerate(texts, 1):
        assert zone.one(
            "select payload = %s::text::jsonb from raw.tmdb_response where resource_id = %s", text, number
        )
    assert (
        zone.one("select payload ->> 'd' from raw.tmdb_response where resource_id = 4")
        == "12345678901234567890123"
    )


def test_a_row_that_postgresql_refuses_takes_no_other_with_it(zone: Zone) -> None:
    good = [movie(film, f'{{"id":{film}}}') for film in range(1, 100)]
    # numbers of JSON that PostgreSQL's numeric can't hold
    bad = [
        movie(film, f'{{"id":{film},"popularity":1e{exponent}}}')
        for film, exponent in ((501, 140_000), (502, -20_000))
    ]
    batch: list[Outcome] = [
        *good[:40],
        bad[0],
        *good[40:70],
        bad[1],
        *good[70:],
        Failure("movie", 900, "http_500", "x"),
    ]
    counts = write([batch])
    assert zone.films() == {row.resource_id for row in good}
    rows = zone.rows(
        "select resource_id, reason, detail, http_status, body from raw.extract_failure order by 1"
    )
    assert [(film, reason) for film, reason, *_ in rows] == [
        (501, "refused_by_postgresql"),
        (502, "refused_by_postgresql"),
        (900, "http_500"),
    ]
    assert "numeric" in rows[0][2] and bytes(rows[0][4]) == bad[0].body
    assert (counts.landed, counts.failed) == (99, 3)
    zone.assert_counts_are_true()


def test_such_a_film_fails_in_a_run_and_the_run_goes_on(extract: Extract, tmdb: StandIn, zone: Zone) -> None:
    tmdb.repeats = 0.0
    film = tmdb.ids()[4]
    sent = tmdb.film(film)
    assert sent is not None
    listed = tmdb.films.body
    body = (listed(film, DAY.toordinal()) or b"").rstrip()[:-1] + b',"odd":1e-20000}'
    tmdb.films.body = lambda asked, day: body if asked == film else listed(asked, day)  # type: ignore[method-assign]
    extract(pages=10)
    assert zone.rows("select resource_id, reason from raw.extract_failure") == [
        (film, "refused_by_postgresql")
    ]
    assert zone.last_run()["status"] == "finished"
    zone.assert_counts_are_true()


def test_the_same_film_again_updates_in_place_and_stays_popular(zone: Zone) -> None:
    write([[movie(1, '{"id":1,"v":1}')]])
    write([[Row("movie", 1, 404, b'{"status_code":34}', "changes", "removed 1 NUL")]])
    assert zone.rows(
        "select http_status, payload, run_id, alteration, selected_by from raw.tmdb_response"
    ) == [(404, {"status_code": 34}, 2, "removed 1 NUL", "popular")]


def test_what_is_written_twice_because_a_commit_was_in_doubt_counts_once(zone: Zone) -> None:
    """The connection breaks after the commit, before its answer: the same work is done again."""

    def cut() -> None:
        zone.rows(
            "select pg_terminate_backend(pid) from pg_stat_activity"
            " where application_name like 'tmdb-elt%%' and datname = current_database()"
        )

    async def run() -> None:
        batch: list[Outcome] = [movie(1, '{"id":1}'), Failure("movie", 2, "http_500", "x")]
        async with landing.writer() as opened:
            await opened.begin("popular", {}, DAY)
            opened.requested = 2
            before = opened._committed
            await opened.write(batch)
            cut()
            opened._committed = before  # it does not know
            await opened.write(batch)
            await opened.finish("finished")
            cut()
            await opened.finish("finished")

    asyncio.run(run())
    assert zone.one("select count(*) from raw.extract_failure") == 1
    assert zone.last_run()["status"] == "finished"
    zone.assert_counts_are_true()


def test_ids_and_dates_at_their_limits(zone: Zone) -> None:
    write([[movie((1 << 63) - 1, '{"id":1}'), movie(1, '{"id":1}')]], day=date(1, 1, 1))
    write([[movie(1, '{"id":1}')]], day=date(9998, 12, 31))
    assert zone.one("select count(*) from raw.tmdb_response") == 3


def test_a_partition_knows_its_indexes_and_how_to_compress(zone: Zone) -> None:
    write([[movie(1, '{"id":1}')]])
    indexes = {
        definition.split(" USING ")[1]
        for (definition,) in zone.rows(
            "select indexdef from pg_indexes where tablename = 'tmdb_response_202608'"
        )
    }
    assert {
        "btree (resource, snapshot_date, resource_id)",
        "btree (resource, resource_id, snapshot_date DESC)",
        "btree (load_id)",
    } <= indexes
    assert len(indexes) == 5
    has_lz4 = zone.one(
        "select 'lz4' = any (enumvals) from pg_settings where name = 'default_toast_compression'"
    )
    ((compression,),) = zone.rows(
        "select attcompression from pg_attribute"
        " where attrelid = 'raw.tmdb_response_202608'::regclass and attname = 'payload'"
    )
    assert compression == ("l" if has_lz4 else "")


#: What each question may read: the window's share of its two partitions; a few probes of three levels of an
#: index for each film.
PAGES = {"tracked": 1_000, "landed": 6_000, "full": 12_000}


@pytest.mark.parametrize("question", slow_but(1, PAGES))
def test_what_to_fetch_costs_index_reads_at_a_year_of_history(zone: Zone, question: str) -> None:
    """1,000 films × 360 days, some 5,000 pages: each question reads what its window and its films need."""
    day = date(2025, 12, 26)
    full = films.last_full_query(settings.checked({"TMDB_TOKEN": "eyJ.some.token"}).blocks)
    query = {"tracked": films._TRACKED, "landed": films._LANDED, "full": full}[question]
    with zone.connection() as connection:
        for migration in MIGRATIONS:
            connection.execute(migration.script)
        for month in range(1, 13):
            connection.execute("select raw.ensure_partition(%s)", [date(2025, month, 1)])
        connection.execute(
            "insert into raw.tmdb_response (resource, resource_id, snapshot_date, http_status, payload,"
            " run_id, load_id, landed_at) select 'movie', film, day, 200,"
            " case when (day - date '2025-01-01') % 30 = film % 30"
            " then '{\"credits\":{}}'::jsonb else '{\"id\":1}'::jsonb end, 1, 1, now()"
            " from generate_series(1, 1000) as film,"
            " lateral (select (date '2025-01-01' + n) as day from generate_series(0, 359) as n) as days"
        )
        connection.execute("vacuum analyze raw.tmdb_response")
        parameters = {"ids": list(range(1, 1001)), "date": day, "days": 30, "full_days": 30}
        cursor = connection.execute(("explain (analyze, buffers, format json) " + query).encode(), parameters)
        plan = cursor.fetchone()[0][0]["Plan"]
    assert plan["Shared Hit Blocks"] + plan["Shared Read Blocks"] <= PAGES[question]


def test_an_encoding_that_cannot_hold_the_text_is_refused(zone: Zone, program: Program) -> None:
    name = zone.variables["PGDATABASE"] + "_latin"
    zone.execute(f"create database {name} encoding 'LATIN1' locale 'C' template template0")
    try:
        done = program("run", PGDATABASE=name)
        assert done.returncode == 2 and "not UTF8" in done.stderr and "Traceback" not in done.stderr
    finally:
        zone.execute(f"drop database {name} with (force)")


def test_a_role_that_may_not_make_the_schema_is_told_so(zone: Zone, monkeypatch: pytest.MonkeyPatch) -> None:
    role = zone.variables["PGDATABASE"] + "_guest"
    zone.execute(f"create role {role} login")
    try:
        monkeypatch.setenv("PGUSER", role)
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            write([])
    finally:
        zone.execute(f"drop role {role}")


class TestBuffer:
    def test_batches_are_bounded_in_rows_and_bytes(self) -> None:
        chance = random.Random(3)

        async def run() -> list[list[Outcome]]:
            buffer = Buffer()

            async def put() -> None:
                for number in range(3000):
                    await buffer.put(movie(number, "x" * int(chance.paretovariate(1) * 1000)))
                buffer.close()

            task = asyncio.create_task(put())
            batches = []
            while batch := await buffer.take():
                batches.append(batch)
            await task
            return batches

        batches = asyncio.run(run())
        assert [row.resource_id for batch in batches for row in batch] == list(range(3000))
        assert max(map(len, batches)) <= BATCH_ROWS
        for batch in batches:
            sizes = [len(row.body) for row in batch if isinstance(row, Row)]
            assert sum(sizes[:-1]) < BATCH_BYTES

    def test_putting_waits_while_the_writer_is_behind(self) -> None:
        async def run() -> None:
            buffer = Buffer()
            put = asyncio.create_task(fill(buffer))
            await asyncio.sleep(0.05)
            assert not put.done()
            taken = 0
            while not put.done():
                taken += len(await buffer.take())
                await asyncio.sleep(0)
            assert taken >= 500

        async def fill(buffer: Buffer) -> None:
            for number in range(1501):
                await buffer.put(movie(number, "{}"))

        asyncio.run(run())

    def test_the_last_few_do_not_wait_for_a_full_batch(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("extractor.buffer.BATCH_SECONDS", 0.05)

        async def run() -> list[Outcome]:
            buffer = Buffer()
            await buffer.put(movie(1, "{}"))
            return await asyncio.wait_for(buffer.take(), 5)

        assert len(asyncio.run(run())) == 1


def test_a_set_of_ids_is_a_set() -> None:
    chance = random.Random(5)
    numbers = [chance.choice([chance.randrange(2_000_000), 1 << chance.randrange(63)]) for _ in range(5000)]
    mine, known = IdSet(), set[int]()
    for number in numbers:
        assert mine.add(number) is (number not in known)
        known.add(number)
