"""The data package of the real marts: what dbt's manifest says, valid to its readers, and whole."""

import json
import os
import uuid
from pathlib import Path
from typing import Any

import frictionless
import pyarrow.parquet as pq
import pytest

from export import model
from tests.export.conftest import Source
from tests.export.test_values import from_database, ordered, with_arrow


@pytest.fixture(scope="module")
def folders(marts: Source, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The marts in each format."""
    folder = tmp_path_factory.mktemp("marts")
    for form in ("parquet", "csv"):
        marts.written(folder / form, "--format", form)
    return {form: folder / form for form in ("parquet", "csv")}


def resources(folder: Path) -> dict[str, dict[str, Any]]:
    content = json.loads((folder / "datapackage.json").read_text())
    return {each["name"]: each for each in content["resources"]}


def test_frictionless_finds_the_csv_valid(folders: dict[str, Path]) -> None:
    """Its descriptor, and every row: types, NOT NULL, unique and primary keys, and foreign keys."""
    report = frictionless.validate(str(folders["csv"] / "datapackage.json"))
    assert report.valid, report.flatten(["taskPosition", "rowNumber", "type", "message"])[:10]
    assert report.stats["tasks"] == len(resources(folders["csv"]))


@pytest.mark.slow
def test_frictionless_finds_the_parquet_valid(folders: dict[str, Path]) -> None:
    """The same, with the rows as Arrow reads them: frictionless' way, pandas, has no NULL in integers."""
    content = json.loads((folders["parquet"] / "datapackage.json").read_text())
    assert not frictionless.Package.validate_descriptor(content).errors
    for each in content["resources"]:
        table = pq.read_table(folders["parquet"] / each.pop("path"))
        del each["format"], each["mediatype"], each["encoding"]
        each["data"] = [table.column_names, *(list(row.values()) for row in table.to_pylist())]
    report = frictionless.Package.from_descriptor(content).validate()
    assert report.valid, report.flatten(["taskPosition", "rowNumber", "type", "message"])[:10]


@pytest.mark.slow
def test_frictionless_would_find_a_broken_key(folders: dict[str, Path], tmp_path: Path) -> None:
    for path in folders["csv"].iterdir():
        os.link(path, tmp_path / path.name)
    bridge = tmp_path / "bridge_movie_genre.csv"
    lines = bridge.read_text().splitlines(keepends=True)
    bridge.unlink()
    bridge.write_text("".join([lines[0], lines[1].replace(",", "999,", 1), lines[1], lines[1]]))
    report = frictionless.validate(str(tmp_path / "datapackage.json"))
    assert {"foreign-key", "primary-key"} <= set({kind for (kind,) in report.flatten(["type"])})


def test_every_mart_and_view_is_there_row_by_row(marts: Source, folders: dict[str, Path]) -> None:
    models = {each.name: each for each in model.load(marts.manifest)}
    described = resources(folders["parquet"])
    assert described.keys() == models.keys() and {"fact_movie_daily", "vw_top_movies"} <= models.keys()
    for name, each in models.items():
        path = folders["parquet"] / f"{name}.parquet"
        expected = [
            # a file has no type for an identifier
            tuple(str(value) if isinstance(value, uuid.UUID) else value for value in row)
            for row in from_database(marts, f"{each.schema}.{each.alias}", ("*",))
        ]
        assert ordered(with_arrow(path)) == ordered(expected), name
        assert described[name]["rowCount"] == len(expected)
        assert pq.read_schema(path).names == [f["name"] for f in described[name]["schema"]["fields"]]


def test_keys_and_words_are_those_of_the_manifest(folders: dict[str, Path]) -> None:
    described = resources(folders["parquet"])
    keys = {name: each["schema"].get("primaryKey") for name, each in described.items()}
    assert keys["fact_movie_daily"] == ["date_id", "movie_id"]
    assert keys["dim_movie"] == keys["vw_movie_latest"] == keys["vw_top_movies"] == ["movie_id"]
    assert keys["bridge_movie_cast"] == ["movie_id", "credit_id"]
    fact = described["fact_movie_daily"]["schema"]
    assert {
        (*key["fields"], key["reference"]["resource"], *key["reference"]["fields"])
        for key in fact["foreignKeys"]
    } == {("date_id", "dim_date", "date_id"), ("movie_id", "dim_movie", "movie_id")}
    types = {field["name"]: (field["type"], field["postgresType"]) for field in fact["fields"]}
    assert types["date_id"] == ("date", "date")
    assert types["popularity"] == ("number", "numeric(14,6)")
    for each in described.values():
        assert each["description"], each["name"]
        for field in each["schema"]["fields"]:
            assert field["description"], (each["name"], field["name"])
    ranks = {field["name"]: field for field in described["vw_top_movies"]["schema"]["fields"]}
    assert ranks["rank"]["constraints"]["unique"] is True


def test_the_descriptor_says_whose_the_data_are(folders: dict[str, Path]) -> None:
    content = json.loads((folders["parquet"] / "datapackage.json").read_text())
    assert content["sources"] == [{"title": "TMDB", "path": "https://www.themoviedb.org"}]
    assert "not endorsed or certified by TMDB" in content["description"]
