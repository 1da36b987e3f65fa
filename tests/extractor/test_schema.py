"""The landing zone's versions: from the first one's data to today's, in place; never back."""

import re
from pathlib import Path
from typing import Any

import pytest

from extractor.schema import MIGRATIONS
from tests.dbt_project.runner import Dbt
from tests.extractor.conftest import DAY, Extract, Program, Zone

NEWEST = len(MIGRATIONS)
ROWS = (
    "select * from raw.tmdb_response order by resource, snapshot_date, resource_id",
    "select * from raw.extract_failure order by failure_id",
    "select * from raw.extract_run where run_id = 1",
)


@pytest.fixture
def first_version(zone: Zone, project_root: Path) -> Zone:
    """A landing zone that the first version made, with rows, and without a table of versions."""
    script = (project_root / "tests" / "extractor" / "first_version.sql").read_text()
    with zone.connection() as connection:
        connection.execute(script.encode())
    return zone


def structure(zone: Zone) -> list[tuple[Any, ...]]:
    """Columns, constraints, indexes and functions of `raw`."""
    return zone.rows(
        "select 'column', attrelid::regclass::text || '.' || attname,"
        " concat(format_type(atttypid, atttypmod), attnotnull, attidentity, pg_get_expr(adbin, adrelid))"
        " from pg_attribute inner join pg_class on pg_class.oid = attrelid and relkind in ('r', 'p')"
        " left join pg_attrdef on adrelid = attrelid and adnum = attnum"
        " where relnamespace = 'raw'::regnamespace and attnum > 0 and not attisdropped"
        " union all select 'constraint', conrelid::regclass || '.' || conname, pg_get_constraintdef(oid)"
        " from pg_constraint where connamespace = 'raw'::regnamespace"
        " union all select 'index', indexname, indexdef from pg_indexes where schemaname = 'raw'"
        " union all select 'function', proname, prosrc from pg_proc where pronamespace = 'raw'::regnamespace"
        " order by 1, 2, 3"
    )


def test_the_files_are_numbered_without_a_gap() -> None:
    assert [migration.version for migration in MIGRATIONS] == list(range(1, NEWEST + 1))
    assert all(re.fullmatch(r"[a-z_]+", migration.name) for migration in MIGRATIONS)


@pytest.mark.slow
def test_the_first_version_migrates_in_place_and_everything_goes_on(
    first_version: Zone, extract: Extract, project_root: Path, tmp_path: Path
) -> None:
    zone = first_version
    before = [zone.rows(query) for query in ROWS]
    # a run that stops at once: another one of its date may go on after it
    with pytest.raises(Exception, match="can't be read"):
        extract(base_url="http://127.0.0.1:9", snapshot_date="2026-08-02", max_tries=1)
    assert [zone.rows(query) for query in ROWS] == [
        # no language: TMDB's default
        [(*row, None) for row in before[0]],
        # the run that was under way is closed; what failed in the new one is its own
        [*before[1], *zone.rows("select * from raw.extract_failure where run_id = 3 order by failure_id")],
        # nothing partial, nothing kept
        [(*row, 0, 0) for row in before[2]],
    ]
    assert zone.one("select status from raw.extract_run where run_id = 2") == "interrupted"
    assert zone.rows("select version, name from raw.schema_version order by 1") == [
        (migration.version, migration.name) for migration in MIGRATIONS
    ]
    applied = zone.rows("select * from raw.schema_version")
    extract(pages=1)
    assert zone.rows("select * from raw.schema_version") == applied
    with Dbt(project_root / "dbt_project", zone.variables, tmp_path) as dbt:
        dbt("run", "--select", "+fact_movie_daily")
    facts = "select date_id::text, movie_id, popularity from marts.fact_movie_daily where date_id < %s"
    assert sorted(zone.rows(facts, DAY)) == [
        ("2026-07-31", 11, 90.5),
        ("2026-07-31", 12, 70),
        ("2026-08-01", 11, 91),
    ]
    assert zone.one("select count(*) from marts.fact_movie_daily where date_id = %s", DAY) > 10
    migrated = structure(zone)
    zone.execute("drop schema raw cascade")
    extract(pages=1, snapshot_date="2026-07-31")
    extract(pages=1, snapshot_date="2026-08-01")
    fresh = structure(zone)
    assert migrated == fresh


def test_a_newer_version_is_refused_and_nothing_is_touched(
    program: Program, zone: Zone, extract: Extract
) -> None:
    extract(pages=1)
    zone.execute("insert into raw.schema_version (version, name) values (%s, 'of tomorrow')", NEWEST + 1)
    before = zone.rows("select * from raw.extract_run")
    for command in (["run"], ["status"], ["prune", "--keep-days", "1"], ["load", "-"], ["dump"]):
        done = program(*command)
        assert done.returncode == 2, command
        assert f"has version {NEWEST + 1}" in done.stderr and "Upgrade this one" in done.stderr
        assert done.stdout == "" and "Traceback" not in done.stderr
    assert zone.rows("select * from raw.extract_run") == before


def test_a_migration_that_fails_leaves_the_version_before(first_version: Zone, program: Program) -> None:
    # somebody has a constraint of another name: the second migration can't drop it
    first_version.execute(
        "alter table raw.extract_failure drop constraint extract_failure_run_id_resource_resource_id_key"
    )
    done = program("run")
    assert done.returncode == 1 and "extract_failure_run_id_resource_resource_id_key" in done.stderr
    assert first_version.rows("select version from raw.schema_version") == [(1,)]
    # its first statement is taken back, too
    assert first_version.one(
        "select attnotnull from pg_attribute"
        " where attrelid = 'raw.extract_run'::regclass and attname = 'snapshot_date'"
    )
    assert first_version.one("select count(*) from raw.tmdb_response") == 7
