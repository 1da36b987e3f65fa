"""A folder that is replaced whole: it is written beside, and takes the old one's place when all is well."""

import fcntl
import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from common.errors import ConfigurationError, ProgramError

DESCRIPTOR: Final = "datapackage.json"


@contextmanager
def replacing(folder: Path) -> Iterator[Path]:
    """An empty folder beside `folder`, which takes its place at the end; after an error all is as before.

    Raises `ConfigurationError` when `folder` holds what no export wrote, `ProgramError` when writing fails.
    """
    try:
        _check(folder)
        folder.parent.mkdir(parents=True, exist_ok=True)
        _sweep(folder)
        beside = Path(tempfile.mkdtemp(prefix=_prefix(folder), dir=folder.parent))
    except OSError as error:
        raise ProgramError(f"{folder} can't be written: {error.strerror}") from error
    handle = os.open(beside, os.O_RDONLY)
    try:
        # held until this program ends, however it ends: what nobody holds was left by a run that was killed
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield beside
        beside.chmod(0o755)
        _put_in_place(beside, folder)
    except OSError as error:
        raise ProgramError(f"{error.filename or folder} can't be written: {error.strerror}") from error
    finally:
        shutil.rmtree(beside, ignore_errors=True)
        os.close(handle)


def _prefix(folder: Path) -> str:
    return f".{folder.name}.partial-"


def _check(folder: Path) -> None:
    """Nothing but an export's own files may be replaced."""
    if not folder.exists():
        return
    if not folder.is_dir():
        raise ConfigurationError(f"{folder} is a file: name a folder")
    found = {path.name for path in folder.iterdir()}
    known = {DESCRIPTOR}
    with suppress(OSError, ValueError, KeyError, TypeError):
        known |= {each["path"] for each in json.loads((folder / DESCRIPTOR).read_bytes())["resources"]}
    if strange := sorted(found - known):
        raise ConfigurationError(
            f"{folder} holds what no export wrote ({', '.join(strange[:3])}{' …' * (len(strange) > 3)}):"
            " name a new folder, or an empty one"
        )


def _sweep(folder: Path) -> None:
    """Remove what killed runs left."""
    for left in folder.parent.glob(f"{_prefix(folder)}*"):
        handle = os.open(left, os.O_RDONLY)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(left, ignore_errors=True)
        except BlockingIOError:
            pass  # another run is at work in it
        finally:
            os.close(handle)


def _put_in_place(beside: Path, folder: Path) -> None:
    """Two renames, under a lock so that two runs don't meet between them."""
    parent = os.open(folder.parent, os.O_RDONLY)
    try:
        fcntl.flock(parent, fcntl.LOCK_EX)
        _check(folder)
        old = beside.with_name(f"{beside.name}-old")
        moved = folder.exists()
        if moved:
            folder.rename(old)
        try:
            beside.rename(folder)
        except OSError:
            if moved:
                old.rename(folder)
            raise
        if moved:
            shutil.rmtree(old, ignore_errors=True)
    finally:
        os.close(parent)
