"""dbt's manifest: which relation and which columns a model has.

Read from a file that dbt wrote, or parsed from the project (some seconds), so that a check never
passes on yesterday's models.
"""

import atexit
import json
import os
import re
import shutil
import tempfile
from collections.abc import Callable, Collection, Mapping
from contextlib import redirect_stdout, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from metabase.errors import DashboardError, UsageError, shown
from metabase.spec import Spec
from metabase.template import Value

PROJECT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Model:
    """A dbt model; `columns` by name with their PostgreSQL types."""

    name: str
    schema: str
    alias: str
    columns: Mapping[str, str]

    @property
    def relation(self) -> str:
        """Schema and name, as SQL writes them."""
        return f"{self.schema}.{self.alias}"


@dataclass(frozen=True)
class Manifest:
    """The models that dashboards may read, and the variables of dbt_project.yml."""

    models: Mapping[str, Model]
    others: frozenset[str]
    """Models that exist and that dashboards may not read."""
    variables: Mapping[str, Value]
    path: Path

    @property
    def relations(self) -> dict[str, str]:
        """Model name to relation."""
        return {name: model.relation for name, model in self.models.items()}

    def rewritten(self, sql: str, write: Callable[[Model], str]) -> str:
        """SQL with each mention of a model's table, quoted or not, as `write` says it."""
        for model in self.models.values():
            pattern = rf'(?<![\w."])"?{re.escape(model.schema)}"?\."?{re.escape(model.alias)}"?(?![\w"])'
            sql = re.sub(pattern, write(model), sql)
        return sql


def read(spec: Spec, path: Path | None = None) -> Manifest:
    """The manifest in a file, or else of the dbt project parsed afresh. Raises `DashboardError`."""
    if path is not None:
        return load(path, spec.dbt_project, spec.schemas)
    kept = spec.dbt_project.parent / "build" / "manifest"
    # dbt parses only what changed since
    with suppress(OSError):
        kept.mkdir(parents=True, exist_ok=True)
    if not os.access(kept, os.W_OK):
        # read once more later, for the descriptions
        kept = Path(tempfile.mkdtemp(prefix="manifest-"))
        atexit.register(shutil.rmtree, kept, ignore_errors=True)
    return parse(kept, spec.dbt_project, spec.schemas)


def load(path: Path, project: Path, schemas: Collection[str]) -> Manifest:
    """The manifest in a file, of a dbt project whose models in `schemas` dashboards may read.

    Raises `UsageError` when there is none, or it is something else.
    """
    try:
        content: dict[str, Any] = json.loads(path.read_bytes())
        nodes = [n for n in content["nodes"].values() if n["resource_type"] in ("model", "seed", "snapshot")]
    except OSError as error:
        raise UsageError(
            f"dbt's manifest can't be read: {shown(path)}: {error.strerror}. `make dbt` writes it; "
            "without --manifest it is parsed from the dbt project"
        ) from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise UsageError(f"{shown(path)} is no manifest of dbt's ({error!r})") from error
    models = {
        node["name"]: Model(
            name=node["name"],
            schema=node["schema"],
            alias=node["alias"],
            columns={name: column.get("data_type") or "text" for name, column in node["columns"].items()},
        )
        for node in nodes
        if node["resource_type"] == "model" and node["schema"] in schemas
    }
    try:
        settings = yaml.safe_load((project / "dbt_project.yml").read_text(encoding="utf-8")) or {}
    except (OSError, yaml.YAMLError) as error:
        raise UsageError(
            f"{shown(project / 'dbt_project.yml')} can't be read ({error}): `dbt_project` in"
            " metabase.yml says where the dbt project is"
        ) from error
    return Manifest(
        models=models,
        others=frozenset(node["name"] for node in nodes) - set(models),
        variables=settings.get("vars") or {},
        path=path,
    )


def parse(target: Path, project: Path, schemas: Collection[str]) -> Manifest:
    """Parse the dbt project and load what comes out; needs no database.

    `target` is the folder for what dbt writes. The exposures are left out: they are
    written from the dashboards, and must not keep these from being checked. Raises `DashboardError`.
    """
    # half a second to import, and not needed where a manifest is given
    from dbt.cli.main import dbtRunner

    folders = ["--project-dir", str(project), "--profiles-dir", str(project)]
    files = ["--target-path", str(target), "--log-path", str(target)]
    options = ["--no-send-anonymous-usage-stats", "--vars", "{dashboard_exposures: false}"]
    command = ["--quiet", "parse", *folders, *files, *options]
    had_state = (target / "partial_parse.msgpack").exists()
    # profiles.yml wants a host; parsing connects to none
    missing = "PGHOST" not in os.environ
    if missing:
        os.environ["PGHOST"] = "localhost"
    try:
        # stdout is for this program's own data
        with Path(os.devnull).open("w") as nowhere, redirect_stdout(nowhere):
            result = dbtRunner().invoke(command)
            if not result.success and had_state:
                # what dbt remembers of the last parse may name a model that is gone, and would for ever
                result = dbtRunner().invoke([*command, "--no-partial-parse"])
    finally:
        if missing:
            del os.environ["PGHOST"]
    if not result.success:
        raise DashboardError(f"dbt can't parse {shown(project)}: {result.exception}")
    return load(target / "manifest.json", project, schemas)
