"""The project itself: everything described, nothing deprecated, and usable before anything was extracted."""

import datetime as dt
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.dbt_project.conftest import LandingZone
from tests.dbt_project.runner import Dbt
from tools.model_page import page

#: The calendar, the runs of the extractor, the results of the tests: nothing in them is a field of TMDB's.
SELF_EXPLANATORY = re.compile(r"dim_date|vw_pipeline|_quality")


def test_every_model_and_column_is_described(built_zone: LandingZone, dbt: Dbt, project_root: Path) -> None:
    columns: dict[str, set[str]] = {}
    for relation, column in built_zone.rows(
        "select table_name, column_name from information_schema.columns"
        " where table_schema in ('staging', 'marts', 'analytics') and table_name !~ '^load_'"
    ):
        columns.setdefault(relation, set()).add(column)
    nodes = [n for n in dbt.manifest.nodes.values() if n.resource_type in ("model", "seed")]
    assert {node.name for node in nodes} == set(columns)
    for node in nodes:
        assert node.description, node.name
        assert {name for name, column in node.columns.items() if column.description} == columns[node.name], (
            node.name
        )
        # where a value comes from: the field of TMDB's, or the column, of which it is made
        if not SELF_EXPLANATORY.search(node.name):
            assert all("`" in column.description for column in node.columns.values()), node.name
    for macro in dbt.manifest.macros.values():
        if macro.package_name == "tmdb" and not macro.name.startswith("test_"):
            assert macro.description, macro.name
    for source in dbt.manifest.sources.values():
        assert source.description and all(column.description for column in source.columns.values())

    # the page on the model says what the catalog says; `tools/model_page.py` writes it anew
    assert page(built_zone.connection) == (project_root / "docs" / "model.md").read_text()

    # and it reaches PostgreSQL, where every tool finds it
    comments = built_zone.rows(
        "select obj_description('marts.fact_movie_daily'::regclass),"
        " col_description('marts.fact_movie_daily'::regclass, 1),"
        " obj_description('analytics.vw_top_movies'::regclass)"
    )
    assert all(comments[0])


def test_every_table_is_as_its_contract_says(built_zone: LandingZone, dbt: Dbt) -> None:
    for node in dbt.manifest.nodes.values():
        if node.resource_type != "model" or node.config.materialized != "incremental":
            continue
        (key,) = (constraint.columns for constraint in node.constraints if constraint.type == "primary_key")
        constraints = [
            *node.constraints,
            *(constraint for column in node.columns.values() for constraint in column.constraints),
        ]
        table = f"'{node.schema}.{node.name}'::regclass"
        assert built_zone.rows(
            "select attname::text, attnotnull,"
            " replace(format_type(atttypid, atttypmod), 'timestamp with time zone', 'timestamptz')"
            f" from pg_attribute where attrelid = {table} and attnum > 0 and not attisdropped order by attnum"
        ) == [
            (
                column.name,
                column.name in key or any(constraint.type == "not_null" for constraint in column.constraints),
                (column.data_type or "").replace(", ", ","),
            )
            for column in node.columns.values()
        ], table
        checks = [constraint.expression for constraint in constraints if constraint.type == "check"]
        assert built_zone.rows(
            f"select count(*) from pg_constraint where conrelid = {table} and contype = 'c'"
        ) == [(len(checks),)], table


@pytest.mark.slow
def test_nothing_is_deprecated(
    dbt: Dbt, project_root: Path, database: dict[str, str], tmp_path: Path
) -> None:
    folder = str(project_root / "dbt_project")
    parse = subprocess.run(
        [
            *(sys.executable, "-m", "dbt.cli.main", "--warn-error", "parse", "--no-partial-parse"),
            *("--show-all-deprecations", "--project-dir", folder, "--profiles-dir", folder),
            *("--target-path", str(tmp_path / "target"), "--log-path", str(tmp_path / "logs")),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert parse.returncode == 0, parse.stdout
    assert "Deprecat" not in parse.stdout


@pytest.mark.slow
def test_before_any_extraction_the_tables_are_empty(database: dict[str, str], dbt: Dbt) -> None:
    """Builds, warns, does not crash; also the second time, and with unit tests."""
    reread = ["--select", "stg_tmdb__movie_version,test_type:unit", "--vars", "reparse: true"]
    for command in (
        ["build"],
        ["run", "--select", "config.materialized:incremental"],
        ["test", *reread],
    ):
        result = dbt.invoke(*command)
        assert result.success, result.exception
    warned = dbt.invoke("--warn-error", "run", "--select", "dim_genre")
    assert not warned.success, "it warns that there is nothing to read"


@pytest.mark.slow
def test_run_before_seed_leaves_continents_for_later(landing_zone: LandingZone, dbt: Dbt) -> None:
    landing_zone.land(dt.date(2026, 1, 1), {})
    continents = "select iso_3166_1, continent from marts.dim_country order by 1"
    dbt("run", "--select", "+dim_country")
    assert landing_zone.rows(continents) == [("CH", None), ("NA", None), ("US", None)]
    dbt("seed")
    dbt("run", "--select", "+dim_country")
    assert landing_zone.rows(continents) == [("CH", "Europe"), ("NA", "Africa"), ("US", "North America")]
