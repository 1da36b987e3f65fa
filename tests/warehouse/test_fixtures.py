"""The fixtures that every other test stands on."""

import os
from pathlib import Path

import psycopg


def test_a_database_is_empty_and_in_utc(database: dict[str, str]) -> None:
    with psycopg.connect(
        host=database["PGHOST"], user=database["PGUSER"], dbname=database["PGDATABASE"]
    ) as connection:
        tables = connection.execute("select count(*) from pg_tables where schemaname = 'public'").fetchone()
        zone = connection.execute("show timezone").fetchone()
    assert tables == (0,)
    assert zone == ("UTC",)


def test_the_projects_own_warehouse_is_out_of_reach(project_root: Path) -> None:
    assert Path(os.environ["WAREHOUSE_HOME"]) != project_root / ".warehouse"
    assert os.environ["TMDB_ENV_FILE"] == ""
    assert "TMDB_TOKEN" not in os.environ
