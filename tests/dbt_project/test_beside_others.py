"""A build leaves alone what is not its own: people's views and, from a target of one's own, all tables."""

from pathlib import Path

import pytest
from dbt.cli.main import dbtRunner

from tests.dbt_project.conftest import LandingZone
from tests.dbt_project.marts import everything
from tests.dbt_project.runner import Dbt
from tests.dbt_project.test_increment import DAY, FILMS

PROJECT = Path(__file__).resolve().parents[2] / "dbt_project"

THEIRS = """
    create view public.mine as select title, rank from analytics.vw_top_movies;
    create materialized view public.my_copy as select * from staging.stg_tmdb__movie_snapshot;
    create view public.my_films as select movie_id, title from marts.dim_movie
"""
MADE = "select oid::bigint, relname from pg_class where relnamespace = 'analytics'::regnamespace order by 1"
RELATIONS = """
    select table_schema || '.' || table_name from information_schema.tables
    where table_schema in ('raw', 'staging', 'marts', 'analytics', 'ops', 'quality') order by 1
"""


def state(zone: LandingZone) -> dict[str, list[tuple[str]]]:
    """Everything that stands in everybody's tables and views."""
    return {
        name: zone.rows(f"select t::text from {name} as t order by 1") for (name,) in zone.rows(RELATIONS)
    }


@pytest.mark.slow
def test_views_stay_while_their_definition_does_and_others_views_always(
    built_zone: LandingZone, dbt: Dbt
) -> None:
    built_zone.land(DAY, FILMS)
    built_zone.build()
    dbt("run")
    built_zone.connection.execute(THEIRS.encode())
    made = built_zone.rows(MADE)
    for options in ((), ("--full-refresh",)):
        dbt("run", *options)
        assert built_zone.rows(MADE) == made, options
    # as if this version of the project had changed every view: they are replaced in place
    built_zone.connection.execute("update ops.definition set sql_hash = ''")
    dbt("run", "--select", "config.materialized:view")
    assert built_zone.rows(MADE) == made
    assert built_zone.rows("select count(*) from public.mine") == [(len(FILMS),)]
    assert built_zone.rows("select count(*) from public.my_copy") == [(len(FILMS),)]
    assert built_zone.rows("select count(*) from public.my_films") == [(len(FILMS),)]


@pytest.mark.slow
def test_a_view_that_cannot_be_replaced_is_not_dropped_under_somebody(
    landing_zone: LandingZone, dbt: Dbt
) -> None:
    landing_zone.land(DAY, FILMS)
    dbt("seed")
    dbt("run", "--select", "+vw_top_movies")
    landing_zone.connection.execute(
        "drop view analytics.vw_top_movies; create view analytics.vw_top_movies as select 1 as rank;"
        "create view public.mine as select rank from analytics.vw_top_movies"
    )
    refused = dbt.invoke("run", "--select", "vw_top_movies")
    assert not refused.success
    assert "public.mine" in str([result.message for result in refused.result])  # type: ignore[union-attr]
    assert landing_zone.rows("select rank from public.mine") == [(1,)]
    landing_zone.connection.execute("drop view public.mine")
    dbt("run", "--select", "vw_top_movies")
    assert landing_zone.rows("select count(*) from analytics.vw_top_movies") == [(len(FILMS),)]


@pytest.mark.slow
def test_an_empty_build_takes_nothing_away(built_zone: LandingZone, dbt: Dbt) -> None:
    ranked = "select count(*) from analytics.vw_top_movies"
    built_zone.land(DAY, FILMS)
    built_zone.build()
    dbt("run")
    before = everything(built_zone.rows)
    for _ in range(2):
        dbt("build", "--empty", "--exclude-resource-type", "unit_test")
        assert everything(built_zone.rows) == before
        assert built_zone.rows(ranked) == [(len(FILMS),)]
        # as if this version of the project had changed the view: what is tried in it is made anew
        built_zone.connection.execute(
            "update ops.definition set sql_hash = '' where relation ~ 'vw_top_movies'"
        )
        dbt("run", "--empty", "--select", "vw_top_movies")
        dbt("run")
        assert everything(built_zone.rows) == before
        assert built_zone.rows(ranked) == [(len(FILMS),)]


@pytest.mark.slow
def test_a_target_of_ones_own_touches_nothing_of_the_others(
    built_zone: LandingZone, dbt: Dbt, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    built_zone.land(DAY, FILMS)
    built_zone.build()
    before = state(built_zone)
    monkeypatch.setenv("USER", "Alice.B-C")
    options = ["--project-dir", str(PROJECT), "--profiles-dir", str(PROJECT), "--log-path", str(tmp_path)]
    for command in (["seed"], ["run"], ["run", "--full-refresh", "--select", "dim_genre"]):
        result = dbtRunner().invoke(
            ["--quiet", *command, "--target", "dev", "--target-path", str(tmp_path / "target"), *options]
        )
        assert result.success, result.exception
    assert state(built_zone) == before
    theirs = everything(built_zone.rows)
    for table in theirs:
        ours = built_zone.rows(
            f"select (to_jsonb(t) - 'load_id')::text from dev_alice_b_c_marts.{table} as t"
        )
        assert sorted(ours) == theirs[table], table
    schemas = built_zone.rows("select nspname from pg_namespace where nspname ~ '^dev_' order by 1")
    assert [name for (name,) in schemas] == [
        f"dev_alice_b_c_{part}" for part in ("analytics", "marts", "ops", "staging")
    ]
