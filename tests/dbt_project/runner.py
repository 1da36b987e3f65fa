"""dbt as a user runs it, in this process, on one database."""

import fcntl
import hashlib
import os
import pickle
from argparse import Namespace
from collections.abc import Callable, Mapping
from dataclasses import fields
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import pytest
from dbt.cli.main import dbtRunner, dbtRunnerResult
from dbt.contracts.graph.manifest import Manifest
from dbt.flags import get_flags, set_flags

from tests.databases import run_folder

#: The name of a database that stands in the parsed project for whichever a test has.
_NO_DATABASE = "no_database"


class Dbt:
    """Runs dbt's commands. A project is parsed once for all tests: that takes longer than most runs."""

    def __init__(self, project: Path, pg: Mapping[str, str], scratch: Path) -> None:
        self._pg = pg
        self._project = project
        self._manifest: Manifest | None = None
        self._options = [
            *("--project-dir", str(project), "--profiles-dir", str(project)),
            *("--target-path", str(scratch / "target"), "--log-path", str(scratch / "logs")),
            *("--log-level-file", "none"),  # nobody reads it
        ]
        self._environment = pytest.MonkeyPatch()

    def __enter__(self) -> Self:
        for name in [name for name in os.environ if name.startswith("PG")]:
            self._environment.delenv(name)
        for name, value in self._pg.items():
            self._environment.setenv(name, value)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._environment.undo()

    @property
    def manifest(self) -> Manifest:
        """The parsed project."""
        if self._manifest is None:
            self._manifest = self._parsed()
            for node in (*self._manifest.nodes.values(), *self._manifest.sources.values()):
                node.database = self._pg["PGDATABASE"]
                if node.relation_name:
                    node.relation_name = node.relation_name.replace(_NO_DATABASE, node.database, 1)
            self._manifest.build_flat_graph()
        return self._manifest

    def write_manifest(self, path: Path) -> None:
        """The parsed project as dbt writes it."""
        # it says whether dbt reports on its users, which a process in which no command has run does not know
        if not hasattr(get_flags(), "SEND_ANONYMOUS_USAGE_STATS"):
            set_flags(Namespace(**vars(get_flags()), SEND_ANONYMOUS_USAGE_STATS=False))
        self.manifest.write(str(path))

    def _parsed(self) -> Manifest:
        """The project as some test's process has parsed it, for no database."""
        name = hashlib.sha256(bytes(self._project)).hexdigest()[:16]
        with (run_folder() / f"{name}.manifest").open("a+b") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            file.seek(0)
            if not (pickled := file.read()):
                with pytest.MonkeyPatch.context() as patch:
                    patch.setenv("PGDATABASE", _NO_DATABASE)
                    parsed = dbtRunner().invoke(["--quiet", "parse", *self._options])
                assert isinstance(parsed.result, Manifest), parsed.exception
                # what a manifest looks up it builds from these; pickled whole, it mixes up its indexes
                names = [field.name for field in fields(Manifest) if not field.name.startswith("_")]
                pickled = pickle.dumps({name: getattr(parsed.result, name) for name in names})
                file.write(pickled)
        return Manifest(**pickle.loads(pickled))

    def invoke(self, *command: str, seen: Callable[[Any], None] | None = None) -> dbtRunnerResult:
        """Run a command, such as ``build --select dim_movie``; ``seen`` is told of each event."""
        return dbtRunner(manifest=self.manifest, callbacks=[seen] if seen else []).invoke(
            ["--quiet", "--no-write-json", *command, *self._options]
        )

    def __call__(self, *command: str) -> dict[str, str]:
        """Run a command that must succeed; the status of each node by name."""
        result = self.invoke(*command)
        assert result.success, result.exception or failures(result)
        return statuses(result)


def statuses(result: dbtRunnerResult) -> dict[str, str]:
    """The status of each node that ran."""
    nodes: Any = result.result
    return {node.node.name: str(node.status) for node in nodes}


def failures(result: dbtRunnerResult) -> dict[str, str]:
    """What dbt says of each node that failed."""
    nodes: Any = result.result
    return {n.node.name: n.message for n in nodes or () if n.status in ("error", "fail", "runtime error")}
