"""Which system account the embedded server runs as: PostgreSQL refuses to run as root.

A normal user runs it under his own account. Root runs it as the owner of the folder that holds the data,
or, where that is root too, as ``nobody``. The project or the virtual environment may lie where that account
may not go (``/root``, say), and folders that are not ours keep their modes; so the server keeps one right of
root's, to pass file permissions (``CAP_DAC_OVERRIDE``), which ``setpriv`` of util-linux hands down.
"""

import os
import platform
import pwd
import shutil
from dataclasses import dataclass
from pathlib import Path

from warehouse.errors import WarehouseError


@dataclass(frozen=True)
class Account:
    """``owner``: uid and gid of the warehouse's folder. ``server``: those of the server and its data.

    ``prefix`` goes before each of PostgreSQL's command lines to run it as ``server``.
    """

    owner: tuple[int, int]
    server: tuple[int, int]
    prefix: tuple[str, ...] = ()

    def give(self, path: Path, to: tuple[int, int]) -> None:
        """Make the file or folder ``to``'s own; only root can and needs to. Raises ``WarehouseError``."""
        if os.geteuid() != 0:
            return
        try:
            os.chown(path, *to, follow_symlinks=False)
        except OSError as error:  # a container's root may lack the right
            raise cannot_change_account(f"chown {path}: {error.strerror}") from error


def account_for(home: Path, data: Path) -> Account:
    """The account for a warehouse in ``home`` with its ``data``; both need not exist yet.

    Raises ``WarehouseError``.
    """
    if os.geteuid() != 0:
        me = (os.geteuid(), os.getegid())
        return Account(owner=me, server=me)
    if platform.system() != "Linux":
        raise WarehouseError(
            "PostgreSQL refuses to run as root: run this as a normal user, or set PGHOST to a server"
        )
    setpriv = shutil.which("setpriv")
    if setpriv is None:
        raise WarehouseError(
            "PostgreSQL refuses to run as root, and setpriv, which runs it as another account, is missing: "
            "apt install util-linux, or run this as a normal user, or set PGHOST to a server"
        )
    owner = _owner_of_nearest(home)
    made_by = _owner_of_nearest(data)
    if data.exists() and made_by[0] != 0:
        server = made_by
    elif owner[0] != 0 and _has_name(owner[0]):
        server = owner
    else:
        server = _nobody()
    prefix = (
        setpriv,
        f"--reuid={server[0]}",
        f"--regid={server[1]}",
        "--clear-groups",
        "--inh-caps=+dac_override",
        "--ambient-caps=+dac_override",
        # else access(2), by which PostgreSQL looks for its own programs, would disregard that right
        "--securebits=+no_setuid_fixup",
        "--",
    )
    return Account(owner=owner, server=server, prefix=prefix)


def cannot_change_account(reason: str) -> WarehouseError:
    """The error of a root that is not allowed to run PostgreSQL as somebody else."""
    return WarehouseError(
        "PostgreSQL refuses to run as root, and root may not change to another account here "
        f"({reason}): run this as a normal user, or set PGHOST to a server"
    )


def _owner_of_nearest(path: Path) -> tuple[int, int]:
    """Owner of the folder, or of the nearest one above it that exists."""
    while not path.exists() and path != path.parent:
        path = path.parent
    status = path.stat()
    return status.st_uid, status.st_gid


def _has_name(uid: int) -> bool:
    """initdb refuses an account without a name."""
    try:
        pwd.getpwuid(uid)
    except KeyError:
        return False
    return True


def _nobody() -> tuple[int, int]:
    try:
        entry = pwd.getpwnam("nobody")
    except KeyError:
        raise WarehouseError(
            "PostgreSQL refuses to run as root, and there is no account `nobody` to run it as: "
            "run this as a normal user, or set PGHOST to a server"
        ) from None
    return entry.pw_uid, entry.pw_gid
