"""A warehouse as version 0.2.0 left it, its first months pruned, goes on without losing a day."""

import gzip
import os
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests import programs
from tests.dbt_project.conftest import connection_parameters
from tests.dbt_project.runner import Dbt

#: Six films on five days, of which the landing zone has lost the first three; one vanished on the third.
#: What is left has no credits. Made by running 0.2.0.
LEFT = Path(__file__).with_name("version_0_2_0.sql.gz")

TABLES = """
    select relname from pg_class
    where relnamespace = 'marts'::regnamespace and relkind = 'r' and relname ~ '^(dim|bridge|fact|agg)_'
    and relname <> 'dim_date' order by 1
"""
ROWS = "select to_jsonb(t) - '{{load_id,content_hash}}'::text[] from marts.{} as t order by 1"


@pytest.fixture
def left(database: dict[str, str]) -> psycopg.Connection[Any]:
    """A connection to that warehouse."""
    connection = psycopg.connect(autocommit=True, **connection_parameters(database))
    connection.execute(gzip.decompress(LEFT.read_bytes()))
    return connection


def contents(connection: psycopg.Connection[Any]) -> dict[str, list[Any]]:
    """All rows of the marts, without lineage."""
    tables = [name for (name,) in connection.execute(TABLES)]
    return {name: [row for (row,) in connection.execute(ROWS.format(name).encode())] for name in tables}


@pytest.mark.slow
def test_a_warehouse_of_0_2_0_keeps_its_pruned_days(left: psycopg.Connection[Any], dbt: Dbt) -> None:
    before = contents(left)
    assert len(before["fact_movie_daily"]) == 27 and before["bridge_movie_cast"]
    left.execute("create view public.mine as select movie_id, title from marts.dim_movie")

    dbt("run")
    after = contents(left)
    for name in before:
        assert after[name] == before[name], name
    assert left.execute("select count(*) from public.mine").fetchone() == (6,)
    assert left.execute("select to_regclass('marts.load_watermark')").fetchone() == (None,)

    dbt("run", "--full-refresh", "--vars", "reparse: true")
    assert contents(left) == after, "from now on, staging has it"
    dbt("run")
    assert contents(left) == after


@pytest.mark.slow
def test_what_0_2_0_took_though_it_cannot_be_stops_nothing(left: psycopg.Connection[Any], dbt: Dbt) -> None:
    wrong = "title = ' ', original_title = '&nbsp;', release_date = 'infinity', budget = -5, status = ' '"
    for table in ("dim_movie", "dim_movie_history"):
        left.execute(f"update marts.{table} set {wrong} where movie_id = 8".encode())
    left.execute("update marts.fact_movie_daily set popularity = 'NaN' where movie_id = 8")
    left.execute("update marts.dim_company set name = 'Blue &amp; Harbor' where company_id = 9")
    dbt("run")
    known = "title, original_title, release_date, budget, status"
    for table in ("dim_movie", "dim_movie_history"):
        rows = left.execute(f"select {known} from marts.{table} where movie_id = 8".encode()).fetchall()
        assert rows == [("Untitled film 8", None, None, None, None)], table
    assert left.execute(
        "select distinct popularity from marts.fact_movie_daily where movie_id = 8"
    ).fetchall() == [(None,)]
    assert left.execute("select name from marts.dim_company where company_id = 9").fetchone() == (
        "Blue & Harbor",
    )


def test_a_view_on_a_view_that_must_go_is_named(left: psycopg.Connection[Any], dbt: Dbt) -> None:
    left.execute("create view public.mine as select * from staging.stg_tmdb__movie")
    before = contents(left)
    refused = dbt.invoke("run")
    assert not refused.success and "public.mine" in str(refused.exception)
    assert contents(left) == before and left.execute("select count(*) from public.mine").fetchone() == (10,)


def test_nothing_is_forgotten_before(
    left: psycopg.Connection[Any], database: dict[str, str], project_root: Path
) -> None:
    before = contents(left)
    words = ["--date", str(before["fact_movie_daily"][0]["date_id"]), "--yes"]
    refused = programs.run("tools.forget", words, cwd=project_root, env={**os.environ, **database})
    assert refused.returncode == 2 and "make dbt. Nothing was changed" in refused.stderr, refused.stderr
    assert contents(left) == before
