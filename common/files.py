"""What is written: a file that is there whole or not at all, and standard output, whatever it is."""

import gzip
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from io import BufferedRandom, BufferedReader, TextIOWrapper
from pathlib import Path
from typing import IO, Final, TextIO

from common.errors import OutputError

GZIP: Final = b"\x1f\x8b"
"""A packed file's first bytes."""


def open_standard_streams() -> None:
    """Open those of the three standard streams that this program was started without.

    Otherwise the next file or socket would get their number, and be taken for them. To standard output
    nothing can be written then: data must not get lost unnoticed, as in /dev/null it would.
    """
    for number, name, flags in (
        (0, "stdin", os.O_RDONLY),
        (1, "stdout", os.O_RDONLY),
        (2, "stderr", os.O_WRONLY),
    ):
        if getattr(sys, name) is None:
            descriptor = os.open(os.devnull, flags)
            if descriptor != number:
                os.dup2(descriptor, number)
                os.close(descriptor)
            mode = "w" if number else "r"
            setattr(sys, name, open(number, mode, closefd=False))  # noqa: SIM115 (for as long as we run)


@contextmanager
def unpacked(file: BufferedReader | BufferedRandom) -> Iterator[IO[bytes]]:
    """What the file holds, unpacked where it is packed by gzip, whatever its name says."""
    if not file.peek(2).startswith(GZIP):
        yield file
        return
    with gzip.GzipFile(fileobj=file) as content:
        yield content  # type: ignore[misc]  # a binary stream in all but its type


@contextmanager
def standard_output() -> Iterator[TextIO]:
    """Standard output for what was asked for, as text or (its `buffer`) as bytes. Raises `OutputError` when
    that can't be written.

    What the terminal's encoding does not have is shown as a question mark.
    """
    stream = sys.stdout
    if isinstance(stream, TextIOWrapper):
        stream.reconfigure(errors="replace")
    try:
        yield stream
        stream.flush()
    except OSError as error:
        drop_standard_output()
        if isinstance(error, BrokenPipeError):
            raise OutputError("standard output was closed before the end") from None
        raise OutputError(f"cannot write to standard output: {error.strerror}") from None


def drop_standard_output() -> None:
    """Forget what can't be written there: Python would try again at its end, and fail then."""
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


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
    descriptor, name = tempfile.mkstemp(prefix=f".{path.name[:40]}.", suffix=".part", dir=path.parent)
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
