"""What is read from dbt's manifest, in the forms in which dbt writes it."""

import json
import os
import time
from pathlib import Path

import pytest

from export import cli, model
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


def test_the_project_is_parsed_anew_only_where_it_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Or where the last manifest is no such thing, or of a developer's own schemas."""
    monkeypatch.setenv("TMDB_BUILD_FOLDER", str(tmp_path))
    manifest = tmp_path / "target" / "manifest.json"
    manifest.parent.mkdir()
    parsed: list[str] = []

    def write(schema: str = "marts", *, age: float = 0) -> None:
        movie = node("marts", "dim_movie", {"movie_id": ""}, ["movie_id"])
        manifest.write_text(json.dumps({"nodes": {"model.tmdb.dim_movie": {**movie, "schema": schema}}}))
        os.utime(manifest, (time.time() - age,) * 2)

    def parse() -> None:
        parsed.append("again")
        write()

    monkeypatch.setattr(cli, "_parse", parse)
    assert [each.name for each in cli._models()] == ["dim_movie"] and len(parsed) == 1
    cli._models()
    assert len(parsed) == 1
    for broken in (lambda: manifest.write_text("{"), lambda: write("dev_ada_marts"), lambda: write(age=1e9)):
        broken()
        assert [each.schema for each in cli._models()] == ["marts"]
    assert len(parsed) == 4
