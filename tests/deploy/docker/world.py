"""The project's folder as somebody checked it out, with its own names and ports, on a Docker engine."""

import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import yaml
from dotenv import dotenv_values

from tests.deploy.docker import images
from tests.deploy.docker.engine import Engine

IMAGE = "tmdb-elt:local"
#: Told to the stand-in, which wants it back.
TOKEN = "a-token-of-the-tests"
#: Seconds until a wait is given up.
PATIENCE = 240

_HOOK = """
import http.server
class Hook(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        print(self.rfile.read(int(self.headers["Content-Length"])).decode(), flush=True)
        self.send_response(204)
        self.end_headers()
http.server.HTTPServer(("", 8000), Hook).serve_forever()
"""


@dataclass
class World:
    """`folder` is the checkout, `ports` by variable; `variables` go into the environment of every command."""

    docker: Engine
    folder: Path
    ports: dict[str, int]
    variables: dict[str, str] = field(default_factory=dict)
    name: str = "tmdb-elt-test"

    @property
    def environment(self) -> dict[str, str]:
        """What commands run in."""
        ours = (
            "TMDB_",
            "METABASE_",
            "POSTGRES_",
            "PGADMIN_",
            "WAREHOUSE_",
            "ELT_",
            "COMPOSE_",
            "MAKE",
            "MFLAGS",
        )
        plain = {name: value for name, value in self.docker.environment.items() if not name.startswith(ours)}
        return {
            **plain,
            "COMPOSE_PROJECT_NAME": self.name,
            **{name: str(port) for name, port in self.ports.items()},
            **self.variables,
        }

    def make(self, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        """`make`, without a terminal; stderr is in stdout."""
        return subprocess.run(
            ["make", *arguments],
            cwd=self.folder,
            env={**self.environment, **variables},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )

    @contextmanager
    def making(self, *arguments: str, **variables: str) -> Iterator[subprocess.Popen[str]]:
        """`make` in the background, as a group of processes that a signal can be sent to."""
        with subprocess.Popen(
            ["make", *arguments],
            cwd=self.folder,
            env={**self.environment, **variables},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
            # tests that run in the background ignore it, and so would a shell that they start
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        ) as process:
            try:
                yield process
            finally:
                if process.poll() is None:
                    os.killpg(process.pid, signal.SIGTERM)

    def compose(
        self, *arguments: str, demo: bool = False, **variables: str
    ) -> subprocess.CompletedProcess[str]:
        """`docker compose`, as a person types it."""
        files = ["--file", "docker-compose.yml", "--file", "deploy/compose/demo.yml"] if demo else []
        name = ["--project-name", f"{self.name}-demo"] if demo else []
        return subprocess.run(
            ["docker", "compose", *name, *files, *arguments],
            cwd=self.folder,
            env={**self.environment, **variables},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )

    def containers(self, *filters: str, demo: bool = False) -> list[str]:
        """Ids of the stack's containers, also of those that ended."""
        project = f"{self.name}-demo" if demo else self.name
        words = [word for text in filters for word in ("--filter", text)]
        label = f"label=com.docker.compose.project={project}"
        return self.docker("ps", "--all", "--quiet", "--filter", label, *words).stdout.split()

    def service(self, name: str) -> str:
        """The id of the service's container, without those of `compose run`."""
        (found,) = self.containers(
            f"label=com.docker.compose.service={name}", "label=com.docker.compose.oneoff=False"
        )
        return found

    def sql(self, query: str, *, demo: bool = False, user: str = "tmdb") -> str:
        """What psql in PostgreSQL's container answers."""
        database = "tmdb_demo" if demo else "tmdb"
        words = [
            "exec",
            "-T",
            "postgres",
            "psql",
            "--username",
            user,
            "--no-align",
            "--tuples-only",
            "--command",
            query,
        ]
        done = self.compose(*words, database, demo=demo)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def landed(self) -> int:
        """Films of today in the landing zone, 0 while there is none."""
        there = self.sql("select to_regclass('raw.tmdb_response') is not null")
        return (
            int(self.sql("select count(*) from raw.tmdb_response where resource = 'movie'"))
            if there == "t"
            else 0
        )

    def secrets(self) -> dict[str, str]:
        """What .env sets."""
        return {name: value or "" for name, value in dotenv_values(self.folder / ".env").items()}

    def change_secret(self, name: str, value: str) -> None:
        """Set a variable of .env."""
        lines = (self.folder / ".env").read_text().splitlines()
        changed = [f"{name}={value}" if line.startswith(f"{name}=") else line for line in lines]
        (self.folder / ".env").write_text("\n".join(changed) + "\n")

    def serve_films(self, *options: str) -> None:
        """The stand-in for TMDB and a webhook beside the real stack, in its network."""
        network = f"{self.name}_stack"
        for name, command in (
            (
                "tmdb",
                [
                    "python",
                    "-m",
                    "demo",
                    "serve",
                    "--host",
                    "0.0.0.0",
                    "--port",
                    "8000",
                    "--token",
                    TOKEN,
                    *options,
                ],
            ),
            ("hook", ["python", "-c", _HOOK]),
        ):
            own = ["--name", f"{self.name}-{name}", "--network", network, "--network-alias", name]
            self.docker("run", "--detach", "--rm", *own, IMAGE, *command)
        self.variables |= {
            "TMDB_TOKEN": TOKEN,
            "TMDB_BASE_URL": "http://tmdb:8000/3",
            "TMDB_EXPORT_URL": "http://tmdb:8000/p/exports",
            "TMDB_NOTIFY_URL": "http://hook:8000/",
        }

    def stop_serving(self) -> None:
        """End what `serve_films` started."""
        self.docker("rm", "--force", f"{self.name}-tmdb", f"{self.name}-hook", check=False)

    def told(self) -> str:
        """What the webhook was told."""
        return self.docker("logs", f"{self.name}-hook").stdout


def wait_for(what: Callable[[], object], why: str) -> None:
    """Wait until `what` is true."""
    end = time.monotonic() + PATIENCE
    while not what():
        assert time.monotonic() < end, f"{why}: not within {PATIENCE} s"
        time.sleep(0.3)


def free_port() -> int:
    """A port of this machine that nobody has."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def checkout(project: Path, folder: Path) -> None:
    """The files that git knows or would add, as a clone has them."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=project,
        capture_output=True,
        text=True,
        check=True,
    )
    for name in listed.stdout.splitlines():
        if (project / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(project / name, folder / name)


def pinned(folder: Path, file: str = "docker-compose.yml") -> dict[str, str]:
    """The image of each service as the file pins it."""
    services = yaml.safe_load((folder / file).read_text())["services"]
    return {
        name: service["image"].partition(":-")[2].rstrip("}")
        for name, service in services.items()
        if "image" in service
    }


def make_images(docker: Engine, project: Path, folder: Path, scratch: Path) -> None:
    """The product's image, and on an engine without a registry stand-ins for those that it needs."""
    python = next(
        line.partition("=")[2]
        for line in (folder / "Dockerfile").read_text().splitlines()
        if line.startswith("ARG PYTHON_IMAGE")
    )
    wanted = pinned(folder)
    if docker.own:
        images.make_base(docker, python, scratch)
        images.make_postgres(docker, wanted["postgres"], python)
        docker("tag", wanted["postgres"], pinned(folder, "deploy/compose/citus.yml")["citus"])
        images.make_pgadmin(docker, wanted["pgadmin"], python)
    else:
        docker("pull", "--quiet", python)
    docker("build", "--tag", IMAGE, folder)
    if docker.own:
        images.make_metabase(docker, wanted["metabase"], IMAGE, project)
