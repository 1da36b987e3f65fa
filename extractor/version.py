"""The project's version: `pyproject.toml` alone says it, as the project is run from its folder."""

import tomllib

from warehouse.environment import PROJECT


def version() -> str:
    """Such as `1.2.3` (SemVer)."""
    return str(tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]["version"])
