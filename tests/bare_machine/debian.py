"""A minimal Debian 12, made by debootstrap and entered by unshare: mounts go with the processes."""

import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.left_out import missing

RELEASE = "bookworm"

_APART = ("--mount", "--pid", "--ipc", "--fork", "--kill-child")
#: As on a machine: the processes, the devices, and shared memory that nobody made larger or smaller.
_ENTER = """
mount -t proc proc "$1/proc"
mount -t tmpfs -o mode=755 tmpfs "$1/dev"
for device in null zero full random urandom tty; do
    touch "$1/dev/$device"
    mount --bind "/dev/$device" "$1/dev/$device"
done
mkdir "$1/dev/pts" "$1/dev/shm"
mount -t devpts -o newinstance,ptmxmode=0666 devpts "$1/dev/pts"
mount -t tmpfs -o mode=1777 tmpfs "$1/dev/shm"
ln -s pts/ptmx "$1/dev/ptmx"
ln -s /proc/self/fd "$1/dev/fd"
root=$1
shift
exec chroot "$root" "$@"
"""


def archive() -> str:
    """The address of Debian's archive that this machine's apt is set up with, after one `apt-get update`."""
    if not any(Path("/var/lib/apt/lists").glob("*_Packages*")):
        subprocess.run(["apt-get", "update", "-qq"], check=True)
    told = subprocess.run(
        ["apt-get", "indextargets", "--format", "$(REPO_URI)", "Created-By: Packages"],
        capture_output=True,
        text=True,
        check=True,
    )
    ours = [uri for uri in told.stdout.split() if uri.rstrip("/").endswith("/debian")]
    if not ours:
        missing("apt is set up with no archive of Debian's")
    return ours[0]


def debootstrap(root: Path, packages: Sequence[str] = ()) -> None:
    """Make the least Debian in ``root``, and the packages. Root only. Raises ``CalledProcessError``."""
    command = ["debootstrap", "--variant=minbase"]
    if packages:
        command.append(f"--include={','.join(packages)}")
    subprocess.run([*command, RELEASE, root, archive()], stdout=subprocess.DEVNULL, check=True)
    # the names and the certificates by which this machine reaches the registries
    shutil.copy("/etc/resolv.conf", root / "etc" / "resolv.conf")


def enter(
    root: Path, command: Sequence[str], env: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run a command there, as root, in processes and mounts of its own. Root only."""
    inside = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", **(env or {})}
    return subprocess.run(
        ["unshare", *_APART, "sh", "-euc", _ENTER, "sh", root, *command],
        env=inside,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
