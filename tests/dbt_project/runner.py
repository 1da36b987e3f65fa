"""dbt as a user runs it, in this process, on one database."""

import os
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import pytest
from dbt.cli.main import dbtRunner, dbtRunnerResult
from dbt.contracts.graph.manifest import Manifest

#: Parsing takes longer than most runs, and what it gives depends on the project and the database's name only.
_PARSED: dict[tuple[Path, str], Manifest] = {}


class Dbt:
    """Runs dbt's commands; the project is parsed once a process for each name of a database."""

    def __init__(self, project: Path, pg: Mapping[str, str], scratch: Path) -> None:
        self._pg = pg
        self._key = (project, pg["PGDATABASE"])
        self._options = [
            *("--project-dir", str(project), "--profiles-dir", str(project)),
            *("--target-path", str(scratch / "target"), "--log-path", str(scratch / "logs")),
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
        if self._key not in _PARSED:
            parsed = dbtRunner().invoke(["--quiet", "parse", *self._options])
            assert isinstance(parsed.result, Manifest), parsed.exception
            _PARSED[self._key] = parsed.result
        return _PARSED[self._key]

    def invoke(self, *command: str) -> dbtRunnerResult:
        """Run a command, such as ``build --select dim_movie``."""
        return dbtRunner(manifest=self.manifest).invoke(
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
