"""Warehouses to export: one that dbt built, and one of hand-made tables with every type and oddity."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests import programs
from tests.databases import Databases, connection_parameters, run_folder
from tests.dbt_project.compiled import Model
from tests.dbt_project.conftest import LandingZone, compiled
from tests.dbt_project.runner import Dbt
from tests.metabase import films

__all__ = ["compiled"]

PROJECT = Path(__file__).resolve().parents[2]

SQL = Path(__file__).with_name("things.sql")
COLUMNS = {
    "dim_thing": {"thing_id": "The thing.", "name": "Its name, as people write it."},
    "fact_thing": {"date_id": "The day.", "thing_id": "The thing.", "value": "What it is worth."},
    "vw_thing": {"rank": "Its place.", "thing_id": "The thing.", "name": ""},
}


@dataclass(frozen=True)
class Source:
    """A database, dbt's manifest of it, and the export of it as a program."""

    pg: Mapping[str, str]
    manifest: Path

    def connect(self) -> psycopg.Connection:
        """An autocommit connection, as its owner."""
        return psycopg.connect(**connection_parameters(self.pg), autocommit=True)

    def start(self, to: Path, *options: str, **changed: str) -> subprocess.Popen[str]:
        """The program, running."""
        return subprocess.Popen(
            [sys.executable, "-m", "export", *self._words(to, options)],
            cwd=PROJECT,
            env=self._environment(changed),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, to: Path, *options: str, **changed: str) -> subprocess.CompletedProcess[str]:
        """What it printed, and its exit code."""
        return programs.run(
            "export", self._words(to, options), cwd=PROJECT, env=self._environment(changed), timeout=300
        )

    def written(self, to: Path, *options: str, **changed: str) -> dict[str, Any]:
        """Its descriptor, after an export that must succeed."""
        done = self.run(to, *options, **changed)
        assert done.returncode == 0, done.stdout + done.stderr
        content: dict[str, Any] = json.loads((to / "datapackage.json").read_text())
        return content

    def _words(self, to: Path, options: Sequence[str]) -> list[str]:
        return ["--manifest", str(self.manifest), "--to", str(to), *options]

    def _environment(self, changed: Mapping[str, str]) -> dict[str, str]:
        plain = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
        return {**plain, **self.pg, **changed}


def node(schema: str, name: str, columns: Mapping[str, str], key: list[str]) -> dict[str, Any]:
    """A model as dbt's manifest has it; without `key` it is a view."""
    return {
        "resource_type": "model",
        "name": name,
        "alias": name,
        "schema": schema,
        "description": f"One row per {name}.",
        "config": {"schema": schema, "materialized": "incremental" if key else "view"},
        "constraints": [{"type": "primary_key", "columns": key}] if key else [],
        "columns": {
            column: {"name": column, "description": says, "constraints": []}
            for column, says in columns.items()
        },
    }


def check(model: str, kind: str, column: str, **given: str) -> dict[str, Any]:
    """A data test as dbt's manifest has it."""
    return {
        "resource_type": "test",
        "attached_node": f"model.tmdb.{model}",
        "config": {"severity": "ERROR", "where": None},
        "test_metadata": {"name": kind, "kwargs": {"column_name": column, **given}},
    }


def write_manifest(path: Path, *more: dict[str, Any]) -> Path:
    """The manifest of the hand-made tables, and of `more` models."""
    nodes = [
        node("marts", "dim_thing", COLUMNS["dim_thing"], ["thing_id"]),
        node("marts", "fact_thing", COLUMNS["fact_thing"], ["date_id", "thing_id"]),
        node("analytics", "vw_thing", COLUMNS["vw_thing"], []),
        *more,
    ]
    tests = [
        check("fact_thing", "relationships", "thing_id", to="ref('dim_thing')", field="thing_id"),
        *(check("vw_thing", kind, name) for kind in ("unique", "not_null") for name in ("rank", "thing_id")),
    ]
    content = {f"model.tmdb.{each['name']}": each for each in nodes}
    content |= {f"test.tmdb.{number}": each for number, each in enumerate(tests)}
    path.write_text(json.dumps({"nodes": content}))
    return path


@pytest.fixture
def things(database: dict[str, str], tmp_path: Path) -> Source:
    """The hand-made tables, in a database of the test's own."""
    source = Source(database, write_manifest(tmp_path / "manifest.json"))
    with source.connect() as connection:
        connection.execute(SQL.read_bytes())
    return source


@pytest.fixture(scope="session")
def marts(
    databases: Databases, compiled: tuple[str, list[Model]], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Source]:
    """Two days of films through the landing zone and the statements of dbt."""
    template, models = compiled
    manifest = run_folder() / "export.manifest.json"

    def fill(pg: dict[str, str]) -> None:
        zone = LandingZone(pg, models)
        for number, day in enumerate((films.FIRST, films.SECOND)):
            zone.land(day, films.films(number))
        zone.build()
        zone.connection.close()
        with Dbt(PROJECT / "dbt_project", pg, tmp_path_factory.mktemp("dbt")) as dbt:
            dbt.write_manifest(manifest)

    with databases.new(databases.template("export", fill, template)) as pg:
        yield Source(pg, manifest)
