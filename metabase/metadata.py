"""Descriptions, keys and semantic types from dbt's manifest to Metabase, by the rules of `dbt-metabase`.

dbt-metabase decides what differs; it is given what was read already, and its writes are collected so that
they can be shown before they are sent, and go through the project's own client.
"""

import copy
import functools
import json
import logging
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dbtmetabase._models  # type: ignore[import-untyped]
from dbtmetabase import DbtMetabase
from dbtmetabase.errors import MetabaseStateError  # type: ignore[import-untyped]
from dbtmetabase.format import Filter  # type: ignore[import-untyped]
from dbtmetabase.manifest import Manifest as DbtManifest  # type: ignore[import-untyped]
from dbtmetabase.manifest import Model

from metabase.errors import DashboardError
from metabase.manifest import Manifest
from metabase.spec import Spec

# It would sleep so many seconds before its first look, at metadata that were read just now. The name is
# private: pyproject.toml bounds the version, and test_metadata says when a newer one has no such name.
dbtmetabase._models._SYNC_PERIOD = 0

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Update:
    """A change to a table's or a field's metadata: ``PUT /api/{kind}/{id}`` with `body`."""

    kind: str
    id: int
    label: str
    body: Mapping[str, Any]


def updates(manifest: Manifest, spec: Spec, metadata: Mapping[str, Any]) -> list[Update]:
    """What to change in Metabase's metadata of a database (``GET /api/database/:id/metadata``).

    Models that Metabase does not show are left out; whether that matters, the cards decide.
    """
    recorder = _Recorder(metadata)
    known = {(table.get("schema"), table["name"]) for table in metadata["tables"]}
    exporter = _Exporter(_Models(manifest, spec, known), recorder)
    try:
        exporter.export_models(
            metabase_database=metadata["name"],
            schema_filter=Filter(include=list(spec.schemas)),
            skip_sources=True,
            sync_timeout=0,
        )
    except MetabaseStateError as error:
        raise DashboardError(
            f"dbt-metabase can't match the models with Metabase's tables: {error}"
        ) from error
    return recorder.updates


def display_name(model: str) -> str:
    """A model's name for people, without the prefix that says what kind of table it is."""
    plain = re.sub(r"^(dim|fct|fact|bridge|agg|vw|mart|rpt)_", "", model)
    return (plain or model).replace("_", " ").capitalize()


class _Models(DbtManifest):  # type: ignore[misc]
    """dbt-metabase's reader, told what it does not know by itself.

    It knows primary keys of columns only, and the marts state theirs by model; the files say how tables are
    called and which columns have filters, which dbt's own `meta` may say, too, and then does.
    """

    def __init__(self, manifest: Manifest, spec: Spec, known: set[tuple[str | None, str]]) -> None:
        super().__init__(manifest.path)
        self._spec = spec
        self._known = known
        # by model and column, whether its filter searches
        self._filters = {
            (item.column.model, item.column.name): item.search
            for dashboard in spec.dashboards
            for item in dashboard.filters
            if item.column and item.type.startswith("string/")
        }

    def read_models(self) -> Sequence[Model]:
        read, keys = _read(self.path, self.path.stat().st_mtime_ns)
        # changed here, and by dbt-metabase
        models = copy.deepcopy([m for m in read if (m.schema, m.alias) in self._known])
        for model in models:
            table = self._spec.tables.get(model.name)
            model.display_name = model.display_name or (table and table.name) or display_name(model.name)
            model.visibility_type = model.visibility_type or (table and table.visibility)
            for column in model.columns:
                searches = self._filters.get((model.name, column.name))
                if searches is not None and not column.has_field_values:
                    column.has_field_values = "search" if searches else "list"
                if (model.unique_id, column.name) in keys and not column.semantic_type:
                    column.semantic_type = "type/PK"
        return models


@functools.lru_cache(maxsize=1)
def _read(path: Path, modified: int) -> tuple[Sequence[Model], set[tuple[str, str]]]:
    """What dbt-metabase reads in the manifest; and each column, with its model's id, that alone is a key.

    Kept until the file is ``modified``: an apply compares with it twice, first for its plan.
    """
    nodes = json.loads(path.read_bytes())["nodes"]
    keys = {
        (id_, constraint["columns"][0])
        for id_, node in nodes.items()
        for constraint in node.get("constraints") or []
        # of a key of several columns none alone is one
        if constraint["type"] == "primary_key" and len(constraint.get("columns") or []) == 1
    }
    return DbtManifest(path).read_models(), keys


class _Recorder:
    """Stands where dbt-metabase has its own client: answers from what was read, keeps what it would write."""

    def __init__(self, metadata: Mapping[str, Any]) -> None:
        self._metadata = metadata
        self.updates: list[Update] = []
        self._labels = {table["id"]: f"{table.get('schema')}.{table['name']}" for table in metadata["tables"]}
        self._fields = {
            field["id"]: f"{self._labels[table['id']]}.{field['name']}"
            for table in metadata["tables"]
            for field in table.get("fields", ())
        }

    def find_database(self, name: str) -> Mapping[str, Any]:
        return {"id": self._metadata["id"], "name": name}

    def sync_database_schema(self, uid: int) -> None:
        """Synced before, where anything was missing."""

    def get_database_metadata(self, uid: int) -> Mapping[str, Any]:
        content = copy.deepcopy(dict(self._metadata))
        for table in content["tables"]:
            # hydrated as an object by some versions; dbt-metabase would take its text for a name
            table.pop("db", None)
        return content

    def update_table(self, uid: int, body: Mapping[str, Any]) -> None:
        self.updates.append(Update("table", uid, self._labels[uid], body))

    def update_field(self, uid: int, body: Mapping[str, Any]) -> None:
        self.updates.append(Update("field", uid, self._fields[uid], body))


class _Exporter(DbtMetabase):  # type: ignore[misc]
    """dbt-metabase with these in place of its own reader and client, which would sign in at once."""

    def __init__(self, manifest: DbtManifest, metabase: _Recorder) -> None:
        self._manifest, self._metabase = manifest, metabase

    @property
    def manifest(self) -> DbtManifest:
        return self._manifest

    @property
    def metabase(self) -> Any:
        return self._metabase
