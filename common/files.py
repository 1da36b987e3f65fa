"""A file that is there whole or not at all, whoever else writes one of its name."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO


@contextmanager
def written_whole(path: Path, *, mode: int = 0o600, replace: bool = False) -> Iterator[IO[bytes]]:
    """A binary stream whose bytes are at `path` once the block has ended well; else nothing is left. Another
    program may write them, to the stream's `name`.

    Each writer has a temporary file of its own beside `path`, so two at once can't mix their bytes. When the
    block ends the file is on the disk before it gets its name. Raises `FileExistsError` when `path` is there,
    also when another writer was faster, unless `replace` is true; and `OSError`.
    """
    if path.exists() and not replace:
        raise FileExistsError(f"{path} exists")
    descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".part", dir=path.parent)
    os.close(descriptor)
    part = Path(name)
    try:
        with part.open("wb") as stream:
            os.fchmod(stream.fileno(), mode)
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        if replace:
            part.replace(path)
        else:
            _give_name(part, path)
        _sync_folder(path.parent)
    finally:
        part.unlink(missing_ok=True)


def _give_name(part: Path, path: Path) -> None:
    """Rename `part` to `path` unless a file of that name has come meanwhile."""
    try:
        os.link(part, path)  # unlike a rename, it replaces nothing
    except FileExistsError:
        raise
    except OSError:  # a file system without hard links
        if path.exists():
            raise FileExistsError(f"{path} exists") from None
        part.replace(path)


def _sync_folder(folder: Path) -> None:
    """Put the new name on the disk, where the system can."""
    try:
        descriptor = os.open(folder, os.O_RDONLY)
    except OSError:
        return
    try:
        os.fsync(descriptor)
    except OSError:
        pass
    finally:
        os.close(descriptor)
