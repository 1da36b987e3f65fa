"""A Docker engine for the tests: the one that is there, or one of their own on Debian, as root.

    python tests/deploy/docker/engine.py FOLDER      start one; it ends, and all it made goes, when stdin does

Debian 12 has the engine (`docker.io`) but no compose plugin; those of Debian 13 run on it. The engine is a
process that waits for the end of its standard input, so that it is cleaned up however the tests end, also by
SIGKILL. What a `dockerd` changes on a machine is put back: bridges, firewall rules, forwarding, mounts.
"""

import fcntl
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

#: Programs of an engine, and Debian's package of each.
_PROGRAMS = {"dockerd": "docker.io", "iptables": "iptables", "debootstrap": "debootstrap"}
_PLUGINS = ("docker-compose", "docker-buildx")
#: The release that has the plugins, and runs nowhere else: only these files of it are unpacked.
_PLUGINS_RELEASE = "trixie"
LOCK = Path("/run/lock/tmdb-elt-engine.lock")
_FORWARDING = Path("/proc/sys/net/ipv4/ip_forward")
_NO_RULES = {
    "filter": ("INPUT", "FORWARD", "OUTPUT"),
    "nat": ("PREROUTING", "INPUT", "OUTPUT", "POSTROUTING"),
}


class NoEngineError(Exception):
    """None is there and none can be had; the message says why."""


@dataclass(frozen=True)
class Engine:
    """`environment`: what makes `docker` use it. `own`: brought up here, without a registry."""

    environment: Mapping[str, str]
    own: bool

    def __call__(self, *arguments: object, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run `docker` with the arguments."""
        command = ["docker", *map(str, arguments)]
        done = subprocess.run(
            command, env=dict(self.environment), capture_output=True, text=True, check=False
        )
        if check and done.returncode:
            raise AssertionError(f"{' '.join(command)}: exit code {done.returncode}\n{done.stderr[-3000:]}")
        return done


@contextmanager
def an_engine(folder: Path, *, own: bool = False) -> Iterator[Engine]:
    """The machine's engine with compose and buildx, else (or if `own`) one in `folder`.

    Raises `NoEngineError`.
    """
    there = Engine(dict(os.environ), own=False)
    if not own and _is_usable(there):
        yield there
        return
    can_be_had()
    command = [sys.executable, __file__, str(folder)]
    with subprocess.Popen(
        # a session of its own: Ctrl-C ends the tests, and their end ends it
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        assert process.stdin and process.stdout
        said = process.stdout.readline()
        try:
            if not said:
                raise NoEngineError(f"the engine did not start, see {folder}/dockerd.log and above")
            yield Engine({**os.environ, **json.loads(said)}, own=True)
        finally:
            process.stdin.close()
            process.wait()
    if process.returncode:
        raise AssertionError("the engine left something behind, see above")


def _is_usable(docker: Engine) -> bool:
    if not shutil.which("docker"):
        return False
    questions = (["info"], ["compose", "version"], ["buildx", "version"])
    return all(docker(*words, check=False).returncode == 0 for words in questions)


def can_be_had() -> None:
    """Raise `NoEngineError` where this machine cannot bring one up."""
    if os.geteuid() != 0 or not Path("/etc/debian_version").exists():
        raise NoEngineError("no Docker engine is here, and only root on Debian can bring one up")
    missing = [package for program, package in _PROGRAMS.items() if not shutil.which(program)]
    if missing:
        raise NoEngineError(f"no Docker engine is here; for one: apt install {' '.join(missing)}")


# --- the process that holds it


def main(folder: Path) -> int:
    """Hold an engine until stdin ends; exit code 1 when something of it is left."""
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda *_: sys.exit(1))
    folder.mkdir(parents=True, exist_ok=True)
    with LOCK.open("w") as lock:
        # two at once would take each other's firewall rules away
        fcntl.flock(lock, fcntl.LOCK_EX)
        before = _network()
        firewall = {program: rules(program) for program in savers()}
        forwarding = _FORWARDING.read_text()
        daemon = None
        try:
            environment = {
                "DOCKER_HOST": f"unix://{folder}/docker.sock",
                "DOCKER_CONFIG": str(_plugins(folder)),
            }
            daemon = _start(folder, {**os.environ, **environment})
            print(json.dumps(environment), flush=True)
            sys.stdin.read()
        finally:
            if daemon:
                _stop(daemon)
            left = _clean(folder, before, firewall, forwarding)
    for what in left:
        print(f"left behind: {what}", file=sys.stderr)
    return 1 if left else 0


def _start(folder: Path, environment: Mapping[str, str]) -> subprocess.Popen[bytes]:
    with (folder / "dockerd.log").open("wb") as log:
        daemon = subprocess.Popen(
            [
                "dockerd",
                f"--data-root={folder}/data",
                f"--exec-root={folder}/exec",
                f"--host={environment['DOCKER_HOST']}",
                f"--pidfile={folder}/dockerd.pid",
            ],
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
    for _ in range(120):
        if (
            subprocess.run(
                ["docker", "version"], env=dict(environment), capture_output=True, check=False
            ).returncode
            == 0
        ):
            return daemon
        if daemon.poll() is not None:
            break
        time.sleep(0.5)
    _stop(daemon)
    sys.stderr.write((folder / "dockerd.log").read_text()[-3000:])
    sys.exit(1)


def _stop(daemon: subprocess.Popen[bytes]) -> None:
    daemon.terminate()  # it stops its containers and its containerd
    try:
        daemon.wait(60)
    except subprocess.TimeoutExpired:
        daemon.kill()
        daemon.wait()


def _plugins(folder: Path) -> Path:
    """A folder for DOCKER_CONFIG with compose and buildx, out of Debian's packages of a newer release.

    apt reads that release through a configuration of its own: sources, lists and cache of the system stay.
    """
    config = folder / "docker"
    target = config / "cli-plugins"
    if all((target / name).exists() for name in _PLUGINS):
        return config
    apt = folder / "apt"
    for part in ("lists/partial", "cache/archives/partial", "packages"):
        (apt / part).mkdir(parents=True, exist_ok=True)
    (apt / "sources.list").write_text(f"deb {debian_archive()} {_PLUGINS_RELEASE} main\n")
    (apt / "apt.conf").write_text(
        f'Dir::Etc::sourcelist "{apt}/sources.list";\nDir::Etc::sourceparts "-";\n'
        f'Dir::State::lists "{apt}/lists";\nDir::Cache "{apt}/cache";\n'
        # the folder is nobody else's
        'APT::Sandbox::User "root";\nAcquire::Languages "none";\n'
    )
    environment = {**os.environ, "APT_CONFIG": f"{apt}/apt.conf"}
    for words in (["update"], ["download", *_PLUGINS]):
        subprocess.run(
            ["apt-get", "--quiet", "--quiet", *words],
            env=environment,
            cwd=apt / "packages",
            stdout=sys.stderr,
            check=True,
        )
    for package in (apt / "packages").glob("*.deb"):
        subprocess.run(["dpkg", "-x", package, apt / "unpacked"], check=True)
    target.mkdir(parents=True)
    for name in _PLUGINS:
        shutil.copy(apt / "unpacked" / "usr" / "libexec" / "docker" / "cli-plugins" / name, target)
    shutil.rmtree(apt)
    return config


def debian_archive() -> str:
    """The address of Debian's archive that this machine's apt is set up with."""
    told = subprocess.run(
        ["apt-get", "indextargets", "--format", "$(REPO_URI) $(COMPONENT)", "Created-By: Packages"],
        capture_output=True,
        text=True,
        check=True,
    )
    found = [
        line.split()[0]
        for line in told.stdout.splitlines()
        if line.split()[0].rstrip("/").endswith("/debian")
    ]
    if not found:
        raise NoEngineError("apt knows no archive of Debian's to take compose and buildx from")
    return found[0]


# --- what a machine looks like, and putting it back


def _network() -> set[str]:
    told = subprocess.run(
        ["ip", "-json", "link", "show", "type", "bridge"], capture_output=True, text=True, check=True
    )
    return {link["ifname"] for link in json.loads(told.stdout or "[]")}


def savers() -> list[str]:
    """The firewalls of this machine."""
    return [program for program in ("iptables", "ip6tables") if shutil.which(f"{program}-save")]


def rules(program: str) -> dict[str, str]:
    """The tables of the firewall, as `iptables-restore` takes them, without comments and counters."""
    told = subprocess.run([f"{program}-save"], capture_output=True, text=True, check=False)
    tables: dict[str, str] = {}
    name = ""
    for line in told.stdout.splitlines():
        if line.startswith("*"):
            name = line[1:]
            tables[name] = ""
        if not line.startswith("#"):
            tables[name] += f"{line.split(' [')[0]} [0:0]\n" if line.startswith(":") else f"{line}\n"
    return tables


def _without_rules(table: str) -> str:
    return f"*{table}\n" + "".join(f":{chain} ACCEPT [0:0]\n" for chain in _NO_RULES[table]) + "COMMIT\n"


def _clean(
    folder: Path, bridges: set[str], firewall: Mapping[str, dict[str, str]], forwarding: str
) -> list[str]:
    """Put back what an engine changes; what could not be."""
    for bridge in _network() - bridges:
        subprocess.run(["ip", "link", "delete", bridge], check=False)
    left = [f"bridge {bridge}" for bridge in _network() - bridges]
    for program, before in firewall.items():
        for table, now in rules(program).items():
            wanted = before.get(table) or (_without_rules(table) if table in _NO_RULES else "")
            if wanted and now != wanted:
                subprocess.run([f"{program}-restore"], input=wanted, text=True, check=False)
                if rules(program)[table] != wanted:
                    left.append(f"{program}'s table {table}")
    if _FORWARDING.read_text() != forwarding:
        _FORWARDING.write_text(forwarding)
    for mount in reversed(mounts(folder)):
        subprocess.run(["umount", "--lazy", mount], check=False)
    left += [f"mount {mount}" for mount in mounts(folder)]
    for part in ("data", "exec"):
        shutil.rmtree(folder / part, ignore_errors=True)
        if (folder / part).exists():
            left.append(f"folder {folder / part}")
    left += [f"process {process}" for process in _processes(folder)]
    return left


def mounts(folder: Path) -> list[str]:
    """What is mounted below the folder."""
    points = [line.split()[1] for line in Path("/proc/mounts").read_text().splitlines()]
    return [point for point in points if point.startswith(f"{folder}/")]


def _processes(folder: Path) -> list[str]:
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            name = (process / "comm").read_text().strip()
            line = (process / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            if name.startswith(("dockerd", "containerd", "docker-proxy", "runc")) and f"{folder}/" in line:
                found.append(f"{process.name}: {line}")
    return found


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]).resolve()))
