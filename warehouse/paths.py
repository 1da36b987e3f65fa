"""Where the embedded warehouse keeps its things."""

import hashlib
import os
import platform
import stat
from dataclasses import dataclass
from pathlib import Path

from warehouse import environment
from warehouse.configuration import PORT
from warehouse.errors import WarehouseError

_SOCKET_PATH_BYTES = 103 if platform.system() == "Darwin" else 107  # sun_path without its closing NUL
_SOCKET = f".s.PGSQL.{PORT}"
_SHORT = Path("/tmp")  # noqa: S108 (what is made there is private and checked)


@dataclass(frozen=True)
class Layout:
    """The files of one warehouse in the folder ``home``."""

    home: Path

    @property
    def data(self) -> Path:
        """PostgreSQL's data directory."""
        return self.home / "data"

    @property
    def unfinished_data(self) -> Path:
        """Where initdb works; renamed to ``data`` once it is done."""
        return self.home / "data.new"

    @property
    def pid_file(self) -> Path:
        """PostgreSQL's note of its process; it outlives a crash."""
        return self.data / "postmaster.pid"

    @property
    def command_lock(self) -> Path:
        """Held by a command while it starts or stops the server."""
        return self.home / "command.lock"

    @property
    def server_lock(self) -> Path:
        """Held by the server's processes as long as one of them lives."""
        return self.home / "server.lock"

    @property
    def log(self) -> Path:
        """What the server has to say."""
        return self.home / "server.log"

    @property
    def old_log(self) -> Path:
        """The end of the log before it was last cut."""
        return self.home / "server.log.1"

    @property
    def socket_directory(self) -> Path:
        """The folder of the unix socket.

        In ``home``, or, where that is too long for a socket's path or has a comma, at which libpq splits
        ``PGHOST``, in /tmp under a name made from ``home``. Not in ``XDG_RUNTIME_DIR``: a cron job doesn't
        have it, and it is emptied when the person logs out.
        """
        inside = self.home / "socket"
        if len(os.fsencode(inside / _SOCKET)) <= _SOCKET_PATH_BYTES and "," not in str(inside):
            return inside
        digest = hashlib.sha256(os.fsencode(self.home)).hexdigest()[:16]
        return _SHORT / f"tmdb-elt-{digest}"

    @property
    def socket(self) -> Path:
        """The unix socket itself."""
        return self.socket_directory / _SOCKET


def default_home() -> Path:
    """``WAREHOUSE_HOME``, or ``.warehouse`` in the project."""
    environment.load()
    named = os.environ.get("WAREHOUSE_HOME")
    return Path(named).expanduser().absolute() if named else environment.PROJECT / ".warehouse"


def make_private(path: Path, owner: tuple[int, int]) -> None:
    """Make the folder, for ``owner`` (uid, gid) only; one that exists must be just that.

    Raises ``WarehouseError`` when it is a link, somebody else's, or open to others.
    """
    try:
        path.mkdir(mode=0o700)
    except FileExistsError:
        status = path.lstat()
        if (
            not stat.S_ISDIR(status.st_mode)
            or status.st_uid != owner[0]
            or stat.S_IMODE(status.st_mode) & 0o077
        ):
            raise WarehouseError(
                f"{path} must be a folder that only its owner (uid {owner[0]}) can enter, and is not: "
                "see who made it, remove it, then try again"
            ) from None
    else:
        path.chmod(0o700)  # whatever the umask
        if os.geteuid() == 0:
            os.chown(path, *owner)
