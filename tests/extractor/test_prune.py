"""`extractor prune`: whole months go, and nothing that the marts have not taken."""

from datetime import date, timedelta

import pytest

from extractor.schema import MIGRATIONS
from extractor.values import today
from tests.extractor.conftest import Program, Zone
from warehouse.advisory import EXTRACTION

MARTS = (
    "create schema ops; create schema staging; create table staging.stg_a (); create table staging.stg_b ();"
    " create table ops.watermark"
    " (relation text primary key, load_id bigint not null, updated_at timestamptz default now())"
)


@pytest.fixture
def months(zone: Zone) -> list[date]:
    """Three rows in each of the last five months, one load a month; the first days of the months."""
    first = today().replace(day=1)
    days = [first]
    for _ in range(4):
        days.insert(0, (days[0] - timedelta(days=1)).replace(day=1))
    with zone.connection() as connection:
        for migration in MIGRATIONS:
            connection.execute(migration.script)
        connection.execute(
            "insert into raw.extract_run (mode, parameters, snapshot_date, status)"
            " values ('popular', '{}', %s, 'finished')",
            [days[0]],
        )
        for load, day in enumerate(days, 1):
            connection.execute("select raw.ensure_partition(%s)", [day])
            connection.execute(
                "insert into raw.tmdb_response (resource, resource_id, snapshot_date, http_status, payload,"
                " run_id, load_id, landed_at)"
                " select 'movie', film, %s, 200, '{}', 1, %s, now() from generate_series(1, 3) as film",
                [day, load],
            )
            connection.execute(
                "insert into raw.extract_failure (run_id, resource, resource_id, snapshot_date, reason,"
                " detail) values (1, 'movie', %s, %s, 'http_500', '')",
                [load, day],
            )
        connection.execute(MARTS)
        connection.execute("insert into ops.watermark values ('stg_a', 5), ('stg_b', 5), ('stg_gone', 1)")
    return days


def partitions(zone: Zone) -> list[str]:
    return [
        name
        for (name,) in zone.rows(
            "select relname from pg_inherits inner join pg_class on pg_class.oid = inhrelid"
            " where inhparent = 'raw.tmdb_response'::regclass order by 1"
        )
    ]


def keep_from(day: date) -> str:
    """The --keep-days that keeps `day` and everything after it."""
    return str((today() - day).days)


def test_months_that_lie_wholly_before_are_dropped_and_logged(
    program: Program, zone: Zone, months: list[date]
) -> None:
    done = program("prune", "--keep-days", keep_from(months[2]), TMDB_TOKEN=None)
    assert done.returncode == 0, done.stderr
    names = [f"tmdb_response_{day:%Y%m}" for day in months]
    assert partitions(zone) == names[2:]
    assert f"dropped raw.{names[0]}: 3 rows of {months[0]} to {months[0]}" in done.stdout
    assert "dropped the records of 2 failures" in done.stdout
    assert zone.rows(
        "select partition, first_date, last_date, rows, max_load_id from raw.prune_log order by 1"
    ) == [(names[0], months[0], months[0], 3, 1), (names[1], months[1], months[1], 3, 2)]
    assert zone.one("select min(snapshot_date) from raw.extract_failure") == months[2]


def test_a_month_with_one_day_to_keep_stays_whole(program: Program, zone: Zone, months: list[date]) -> None:
    last_day = months[2] - timedelta(days=1)
    done = program("prune", "--keep-days", keep_from(last_day))
    assert done.returncode == 0, done.stderr
    assert len(partitions(zone)) == 4


def test_a_dry_run_only_tells(program: Program, zone: Zone, months: list[date]) -> None:
    done = program("prune", "--keep-days", keep_from(months[3]), "--dry-run")
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("would drop raw.tmdb_response_") == 3
    assert "would drop the records of 3 failures" in done.stdout
    assert len(partitions(zone)) == 5
    assert zone.one("select count(*) from raw.prune_log") == 0
    assert zone.one("select count(*) from raw.extract_failure") == 5


@pytest.mark.parametrize("dry_run", [False, True])
def test_it_refuses_what_a_mart_has_not_taken(
    program: Program, zone: Zone, months: list[date], dry_run: bool
) -> None:
    zone.execute("update ops.watermark set load_id = 1 where relation = 'stg_b'")
    done = program("prune", "--keep-days", keep_from(months[2]), *["--dry-run"] * dry_run)
    assert done.returncode == 1
    assert "nothing was dropped" in done.stderr and "stg_b (up to load 1)" in done.stderr
    assert "make dbt" in done.stderr and "Traceback" not in done.stderr
    assert len(partitions(zone)) == 5 and zone.one("select count(*) from raw.prune_log") == 0
    # what it has taken may go
    assert program("prune", "--keep-days", keep_from(months[1])).returncode == 0
    assert len(partitions(zone)) == 4


@pytest.mark.parametrize("change", ["drop table ops.watermark", "delete from ops.watermark"])
def test_it_refuses_without_marts(program: Program, zone: Zone, months: list[date], change: str) -> None:
    zone.execute(change)
    done = program("prune", "--keep-days", keep_from(months[2]))
    assert done.returncode == 1 and "nothing was dropped" in done.stderr
    assert len(partitions(zone)) == 5


def test_an_empty_month_needs_nobody_to_have_taken_it(
    program: Program, zone: Zone, months: list[date]
) -> None:
    zone.execute("drop schema ops cascade")
    zone.execute("delete from raw.tmdb_response where snapshot_date = %s", months[0])
    done = program("prune", "--keep-days", keep_from(months[1]))
    assert done.returncode == 0, done.stderr
    assert len(partitions(zone)) == 4


def test_nothing_to_drop(program: Program, zone: Zone, months: list[date]) -> None:
    done = program("prune", TMDB_KEEP_DAYS="3650")
    assert done.returncode == 0 and "nothing to drop" in done.stdout
    assert len(partitions(zone)) == 5


def test_before_anything_was_landed(program: Program) -> None:
    assert "nothing to drop" in program("prune", "--keep-days", "30").stdout


def test_a_run_at_work_is_not_disturbed(program: Program, zone: Zone, months: list[date]) -> None:
    with zone.connection() as connection:
        connection.execute("set application_name = 'tmdb-elt extractor'")
        connection.execute("select pg_advisory_lock(%s)", [EXTRACTION])
        done = program("prune", "--keep-days", keep_from(months[2]))
    assert done.returncode == 1 and "another extractor is at work" in done.stderr
    assert len(partitions(zone)) == 5


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "say how many days"),
        (("--keep-days", "0"), "must be a whole"),
        (("--keep-days", "x"), "must be a whole"),
    ],
)
def test_wrong_use(program: Program, words: tuple[str, ...], said: str) -> None:
    done = program("prune", *words)
    assert done.returncode == 2 and said in done.stderr
