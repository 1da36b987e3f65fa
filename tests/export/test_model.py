"""What is read from dbt's manifest, in the forms in which dbt writes it."""

import json
from pathlib import Path

from export import model
from tests.export.conftest import check, node


def test_a_view_s_key_is_what_is_tested_and_a_dimension_s_goes_before_a_rank(tmp_path: Path) -> None:
    view = node("analytics", "vw_top", {"rank": "", "movie_id": "", "title": "", "maybe": ""}, [])
    tests = [
        *(check("vw_top", kind, name) for kind in ("unique", "not_null") for name in ("rank", "movie_id")),
        check("vw_top", "unique", "maybe"),
        {**check("vw_top", "not_null", "title"), "config": {"severity": "WARN", "where": None}},
        {**check("vw_top", "not_null", "maybe"), "config": {"severity": "ERROR", "where": "rank < 10"}},
    ]
    movie = node("marts", "dim_movie", {"movie_id": ""}, ["movie_id"])
    hidden = node("staging", "stg_movie", {"movie_id": ""}, ["movie_id"])
    path = tmp_path / "manifest.json"
    nodes = {f"model.tmdb.{each['name']}": each for each in (view, movie, hidden)}
    path.write_text(json.dumps({"nodes": nodes | {f"test.{n}": test for n, test in enumerate(tests)}}))
    found = {each.name: each for each in model.load(path)}
    assert found.keys() == {"dim_movie", "vw_top"}
    assert list(found["vw_top"].primary_key) == ["movie_id"]
    # what only warns, or holds for some rows, is no promise
    assert found["vw_top"].required == {"rank", "movie_id"}
