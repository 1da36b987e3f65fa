"""The embedded server's own configuration files."""

import os
import platform
from pathlib import Path

PORT = "5432"
"""Names the socket file; nothing listens on the network."""

SUPERUSER = "postgres"

CONTAINER_LIMIT = Path("/sys/fs/cgroup/memory.max")
"""What a container may use of the machine's memory, where there is one."""

_SMALL_SHARED_MEMORY = 1 << 30  # bytes; a container gives 64 MB unless told otherwise

HOST_BASED_AUTHENTICATION = """\
# Written by `python -m warehouse`. Whoever may enter the socket's folder (mode 0700) may connect.
local all all trust
"""


def initdb_options(durable: bool) -> list[str]:
    """UTF-8 everywhere, sorted by code point, so that an order never depends on the machine."""
    options = ["--encoding=UTF8", f"--username={SUPERUSER}", "--auth-local=trust", "--auth-host=reject"]
    if platform.system() == "Darwin":  # has no C.UTF-8
        options += ["--locale=C", "--lc-ctype=en_US.UTF-8"]
    else:
        options += ["--locale=C.UTF-8"]
    options += ["--data-checksums"] if durable else ["--no-sync"]
    return [*options, "--no-instructions"]


def postgresql_conf(socket_directory: Path, durable: bool) -> str:
    """The text of ``postgresql.conf``; ``durable=False`` trades the data for speed, for tests."""
    settings = {
        "listen_addresses": "",
        "port": PORT,
        # a list; a path with spaces is quoted
        "unix_socket_directories": f'"{socket_directory}"',
        "unix_socket_permissions": "0700",
        "max_connections": "100",
        "timezone": "UTC",
        "log_timezone": "UTC",
        "shared_buffers": f"{_shared_buffers() if durable else 128}MB",
        "work_mem": "32MB",
        "maintenance_work_mem": "128MB",
        "effective_cache_size": f"{_memory() // (2 << 20)}MB",
        "max_wal_size": "2GB",
        "random_page_cost": "1.1",
        "jit": "off",
        "log_line_prefix": "%m [%p] %d ",
        "log_checkpoints": "off",
        "log_autovacuum_min_duration": "-1",
    }
    if _shared_memory_is_small():
        # parallel queries share memory there and fail when it is full
        settings["max_parallel_workers_per_gather"] = "0"
    if not durable:
        settings |= {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
    lines = [
        "# Written by `python -m warehouse` at every start: change a setting with ALTER SYSTEM, which stays.",
        *(f"{name} = '{value.replace(chr(39), chr(39) * 2)}'" for name, value in settings.items()),
    ]
    return "\n".join(lines) + "\n"


def _shared_buffers() -> int:
    """MB: a year's facts stay in memory where there is plenty of it, and little is taken where not."""
    return min(max(_memory() // (8 << 20), 128), 2048)


def _memory() -> int:
    """Bytes of the machine's memory, or of what its container may use."""
    machine = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    try:
        limit = CONTAINER_LIMIT.read_text().strip()
    except OSError:  # not in a container, or not on Linux
        return machine
    return min(machine, int(limit)) if limit.isdecimal() else machine


def _shared_memory_is_small() -> bool:
    try:
        status = os.statvfs("/dev/shm")  # noqa: S108 (asked about, not written to)
    except FileNotFoundError:  # macOS has none and no such bound
        return False
    return status.f_frsize * status.f_blocks < _SMALL_SHARED_MEMORY
