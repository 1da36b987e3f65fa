"""Descriptions, keys and semantic types from dbt's manifest to Metabase, by the rules of `dbt-metabase`.

dbt-metabase decides what differs; it is given what was read already, and its writes are collected so that
they can be shown before they are sent, and go through the project's own client.
"""

import copy
import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dbtmetabase  # type: ignore[import-untyped]
import dbtmetabase._models  # type: ignore[import-untyped]
from dbtmetabase.errors import MetabaseStateError  # type: ignore[import-untyped]
from dbtmetabase.format import Filter  # type: ignore[import-untyped]
from dbtmetabase.manifest import Manifest as DbtManifest  # type: ignore[import-untyped]
from dbtmetabase.manifest import Model

from metabase.errors import DashboardError
from metabase.manifest import SCHEMAS

# it would sleep so many seconds before its first look, at metadata that were read just now
dbtmetabase._models._SYNC_PERIOD = 0

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Update:
    """A change to a table's or a field's metadata: ``PUT /api/{kind}/{id}`` with `body`."""

    kind: str
    id: int
    label: str
    body: Mapping[str, Any]


def updates(manifest: Path, metadata: Mapping[str, Any]) -> list[Update]:
    """What to change in Metabase's metadata of a database (``GET /api/database/:id/metadata``).

    Models that Metabase does not show are left out; whether that matters, the cards decide.
    """
    known = {(table.get("schema"), table["name"]) for table in metadata["tables"]}
    recorder = _Recorder(metadata)
    exporter = _Exporter(_KeyedManifest(manifest, known), recorder)
    try:
        exporter.export_models(
            metabase_database=metadata["name"],
            schema_filter=Filter(include=list(SCHEMAS)),
            skip_sources=True,
            sync_timeout=0,
        )
    except MetabaseStateError as error:
        raise DashboardError(
            f"dbt-metabase can't match the models with Metabase's tables: {error}"
        ) from error
    return recorder.updates


class _KeyedManifest(DbtManifest):  # type: ignore[misc]
    """dbt-metabase's reader, which knows primary keys of columns only; the marts state theirs by model."""

    def __init__(self, path: Path, known: set[tuple[str | None, str]]) -> None:
        super().__init__(path)
        self._known = known

    def read_models(self) -> Sequence[Model]:
        nodes = json.loads(Path(self.path).read_bytes())["nodes"]
        models = [m for m in super().read_models() if (m.schema, m.alias) in self._known]
        for model in models:
            for constraint in (nodes.get(model.unique_id) or {}).get("constraints") or []:
                # of a key of several columns none alone is one
                if constraint["type"] == "primary_key" and len(constraint.get("columns") or []) == 1:
                    for column in model.columns:
                        if column.name in constraint["columns"] and not column.semantic_type:
                            column.semantic_type = "type/PK"
        return models


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


class _Exporter(dbtmetabase._models.ModelsMixin):  # type: ignore[misc]
    def __init__(self, manifest: DbtManifest, metabase: _Recorder) -> None:
        self._manifest, self._metabase = manifest, metabase

    @property
    def manifest(self) -> DbtManifest:
        return self._manifest

    @property
    def metabase(self) -> Any:
        return self._metabase
