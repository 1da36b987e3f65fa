"""Locks between processes: ``flock``, which the kernel ends with the last holder, however that one ended."""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from warehouse.errors import WarehouseError

_PAUSE = 0.02  # seconds between two tries


def try_lock(path: Path, owner: tuple[int, int]) -> int | None:
    """Lock the file (made when missing, for ``owner``'s uid and gid) and return its descriptor, or None."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    try:
        if os.geteuid() == 0:
            os.fchown(descriptor, *owner)
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def wait_for_lock(path: Path, owner: tuple[int, int], seconds: float) -> int | None:
    """As ``try_lock``, trying for up to ``seconds``."""
    deadline = time.monotonic() + seconds
    while (descriptor := try_lock(path, owner)) is None and time.monotonic() < deadline:
        time.sleep(_PAUSE)
    return descriptor


@contextmanager
def held(path: Path, owner: tuple[int, int], seconds: float) -> Iterator[None]:
    """Hold the lock; raises ``WarehouseError`` when another process keeps it for longer than ``seconds``."""
    descriptor = wait_for_lock(path, owner, seconds)
    if descriptor is None:
        raise WarehouseError(
            f"another command has been starting or stopping the warehouse for {seconds:.0f} s "
            f"(it holds {path}): wait for it or end it, then try again"
        )
    try:
        yield
    finally:
        os.close(descriptor)
