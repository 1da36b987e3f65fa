"""A warehouse built once with the real dbt, read as `metabase_reader`; servers to apply dashboards to."""

import copy
import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import psycopg
import pytest

from metabase import loader
from metabase.apply import Failure, Reconciler
from metabase.client import Client
from metabase.manifest import Manifest, load
from metabase.settings import Connection, Settings
from tests.databases import Databases, connection_parameters, exclusively, run_folder
from tests.dbt_project.compiled import Model
from tests.dbt_project.conftest import LandingZone, compiled
from tests.dbt_project.runner import Dbt
from tests.metabase import films
from tests.metabase.fake import FakeMetabase
from tests.metabase.openapi import OpenApi
from warehouse.roles import READER, make_reader

__all__ = ["compiled"]

PROJECT = Path(__file__).resolve().parents[2]
EMAIL, PASSWORD, READER_PASSWORD = "ada@example.com", "a-long-passw0rd", "reader-passw0rd"
STATE = (
    "users",
    "databases",
    "tables",
    "fields",
    "collections",
    "cards",
    "dashboards",
    "permissions",
    "_next",
)


class Warehouse:
    """A built warehouse: `connection` for Metabase, `reader` and `owner` for tests, dbt's `manifest`."""

    def __init__(self, pg: Mapping[str, str], manifest: Manifest) -> None:
        self.pg, self.manifest = pg, manifest
        self.owner = connect(pg)
        self.reader = connect({**pg, "PGUSER": READER, "PGPASSWORD": READER_PASSWORD})
        self.connection = Connection(
            pg["PGHOST"], int(pg["PGPORT"]), pg["PGDATABASE"], READER, READER_PASSWORD
        )


def connect(pg: Mapping[str, str]) -> psycopg.Connection:
    """An autocommit connection."""
    return psycopg.connect(**connection_parameters(pg), autocommit=True)


@pytest.fixture(scope="session")
def built(
    databases: Databases, compiled: tuple[str, list[Model]], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Warehouse]:
    """Two days of films, and one that went stale, through the landing zone and the statements of dbt."""
    template, models = compiled
    manifest = run_folder() / "metabase.manifest.json"

    def fill(pg: dict[str, str]) -> None:
        zone = LandingZone(pg, models)
        gone_stale = {999: films.films(0)[1] | {"id": 999, "title": "Stale", "popularity": 9999.0}}
        zone.land(films.STALE, gone_stale)
        zone.land(films.FIRST, films.films(0))
        zone.land(films.SECOND, films.films(1))
        zone.connection.execute(
            "insert into raw.extract_failure (run_id, resource, resource_id, snapshot_date, reason, detail)"
            " values (%s, 'movie', 7, %s, 'timeout', 'no answer in 20 s')",
            (zone.run_id, films.SECOND),
        )
        zone.connection.execute(
            "update raw.extract_run set status = 'finished', requested = 83, landed = 83,"
            " finished_at = started_at + interval '4 seconds'"
        )
        zone.build()
        zone.connection.close()
        with Dbt(PROJECT / "dbt_project", pg, tmp_path_factory.mktemp("dbt")) as dbt:
            dbt.write_manifest(manifest)

    with databases.new(databases.template("metabase", fill, template)) as pg:
        with exclusively("reader"), connect(pg) as owner:
            make_reader(owner, password=READER_PASSWORD)
        warehouse = Warehouse(pg, load(manifest, PROJECT / "dbt_project", ("marts", "analytics")))
        yield warehouse
        warehouse.reader.close()
        warehouse.owner.close()


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """A copy of the dashboards' files, to edit."""
    folder = tmp_path / "metabase"
    for part in ("dashboards", "cards"):
        shutil.copytree(PROJECT / "metabase" / part, folder / part)
    text = (PROJECT / "metabase" / "metabase.yml").read_text()
    (folder / "metabase.yml").write_text(text.replace("../dbt_project", str(PROJECT / "dbt_project")))
    return folder


def edit(path: Path, old: str, new: str) -> None:
    """Replace the first occurrence, which must be there."""
    text = path.read_text()
    assert old in text, (path, old)
    path.write_text(text.replace(old, new, 1))


class Applying:
    """A server, and the files applied to it."""

    def __init__(self, server: FakeMetabase, warehouse: Warehouse, files: Path) -> None:
        self.server, self.warehouse, self.files = server, warehouse, files

    def settings(self, **changes: Any) -> Settings:
        values: dict[str, Any] = {
            **{"url": self.server.url, "api_key": None, "email": EMAIL, "password": PASSWORD},
            **{"setup_token": None, "wait": 10.0, "timeout": 10.0},
        }
        return Settings(**(values | changes))

    def client(self, **changes: Any) -> Client:
        """A client that is signed in, as `apply` makes it."""
        client = Client(self.settings(**changes), sleep=lambda seconds: None)
        client.wait_until_ready()
        if client.has_user_setup:
            client.sign_in()
        else:
            client.set_up("Tests")
        return client

    def apply(
        self, *, planning: bool = False, prune: bool = False, adopt: bool = False, **changes: Any
    ) -> Reconciler:
        """Apply the files; the log begins anew."""
        self.server.forget()
        client = self.client(**changes)
        reconciler = Reconciler(
            client,
            loader.load(self.files),
            self.warehouse.manifest,
            self.warehouse.connection,
            planning=planning,
            prune=prune,
            adopt=adopt,
            sync_seconds=5,
        )
        reconciler.run()
        return reconciler

    def run_cards(self, reconciler: Reconciler) -> list[Failure]:
        """Run every card, as `apply` does at its end."""
        return reconciler.run_cards()

    @property
    def writes(self) -> list[tuple[str, str]]:
        """What the last apply wrote, the first run's setup left out."""
        return [write for write in self.server.writes if write != ("POST", "/api/setup")]


@pytest.fixture(autouse=True)
def _proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    """A client notes in the environment that a server on this machine has no proxy: for its own test."""
    monkeypatch.setenv("no_proxy", os.environ.get("no_proxy", ""))


@pytest.fixture(scope="session")
def openapi() -> OpenApi | None:
    """The published OpenAPI file, where it is at hand."""
    path = PROJECT.parent / "shared" / "metabase" / "openapi.json"
    return OpenApi(path) if path.is_file() else None


@pytest.fixture
def serve(built: Warehouse, files: Path, openapi: OpenApi | None) -> Iterator[Callable[..., Applying]]:
    """Makes empty servers, by version; no request to any may break the OpenAPI file."""
    servers: list[FakeMetabase] = []

    def start(version: int = 64) -> Applying:
        server = FakeMetabase(version, openapi)
        server.__enter__()
        servers.append(server)
        return Applying(server, built, files)

    yield start
    for server in servers:
        server.__exit__()
        assert server.violations == []


_applied: dict[str, Any] = {}


@pytest.fixture
def applied(serve: Callable[..., Applying]) -> Applying:
    """A server to which the files were applied."""
    applying = serve()
    if not _applied:
        applying.apply()
        _applied.update({name: copy.deepcopy(getattr(applying.server, name)) for name in STATE})
    else:
        for name, value in _applied.items():
            setattr(applying.server, name, copy.deepcopy(value))
    return applying
