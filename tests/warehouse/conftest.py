"""What the tests of the environment share: the command as one types it, and a role of the test's own."""

import os
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from psycopg import sql

import warehouse
from tests import programs

Command = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def typed(project_root: Path, tmp_path: Path) -> Command:
    """Runs `python -m MODULE ARGUMENTS` with the given variables, no other PG* and no file in HOME."""

    def run(module: str, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        plain = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
        plain |= {"HOME": str(tmp_path), "WAREHOUSE_HOME": str(tmp_path / "embedded")}
        environment = {**plain, **variables}
        if not {name for name in variables if name.startswith(("PYTHON", "LC_"))}:
            return programs.run(module, arguments, cwd=project_root, env=environment)
        return subprocess.run(
            [sys.executable, "-m", module, *arguments],
            env=environment,
            cwd=project_root,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    return run


@pytest.fixture
def role(database: dict[str, str]) -> Iterator[str]:
    """A role that owns nothing, may do everything, and has no settings yet."""
    name = f"role_{uuid.uuid4().hex[:12]}"
    with warehouse.connect(database) as connection:
        connection.execute(sql.SQL("create role {} login superuser").format(sql.Identifier(name)))
    yield name
    with warehouse.connect(database) as connection:
        connection.execute(sql.SQL("drop owned by {}").format(sql.Identifier(name)))
        connection.execute(sql.SQL("drop role {}").format(sql.Identifier(name)))
