"""The project's version: `pyproject.toml` alone says it, as the project is run from its folder."""

from warehouse.environment import PROJECT


def version() -> str:
    """Such as `1.2.3` (SemVer)."""
    import tomllib  # only a failure's webhook and --version ask for it

    return str(tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]["version"])
