"""The embedded server: made, started, found again after every kind of crash, and stopped."""

import fcntl
import os
import signal
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

import warehouse
from warehouse import WarehouseError, configuration, paths, session
from warehouse.errors import UsageError
from warehouse.server import Server

MakeServer = Callable[..., Server]


@pytest.fixture(scope="module")
def fresh_data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data directory as initdb leaves it: copying one is faster than making one."""
    server = Server(tmp_path_factory.mktemp("fresh") / "w", durable=False)
    server.start()
    server.stop()
    return server.layout.data


@pytest.fixture
def make_server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fresh_data: Path) -> Iterator[MakeServer]:
    """Makes servers, not started, in folders of their own; each is stopped after the test.

    Nothing is there yet (`empty`), or the data as initdb leaves it.
    """
    for name in [name for name in os.environ if name.startswith("PG")]:
        monkeypatch.delenv(name)
    servers = []

    def make(name: str = "w", *, durable: bool = False, empty: bool = False) -> Server:
        server = Server(tmp_path / name, durable=durable)
        if not empty:
            server.layout.home.mkdir(mode=0o700)
            subprocess.run(["cp", "-a", fresh_data, server.layout.data], check=True)
        servers.append(server)
        return server

    yield make
    for server in servers:
        if server.layout.server_lock.exists():
            server.stop()


def connect(server: Server) -> psycopg.Connection:
    return psycopg.connect(
        host=str(server.layout.socket_directory),
        port=5432,
        user="postgres",
        dbname="postgres",
        autocommit=True,
        connect_timeout=10,
    )


def answer(server: Server, query: str) -> object:
    with connect(server) as connection:
        row = connection.execute(query).fetchone()
    assert row is not None
    return row[0]


def pid_of(server: Server) -> int:
    return int(server.layout.pid_file.read_text().split("\n", 1)[0])


def is_free(lock: Path) -> bool:
    with lock.open("r+b") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True


def wait_until(what: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not what():
        assert time.monotonic() < deadline, "waited for 20 s"
        time.sleep(0.01)


def test_a_second_start_finds_the_first_server_and_data_survives_a_stop(make_server: MakeServer) -> None:
    server = make_server()
    server.start()
    pid = pid_of(server)
    with connect(server) as connection:
        connection.execute("create table film as select 603 as id")
    server.start()
    assert pid_of(server) == pid
    assert server.stop() is True
    assert server.stop() is False
    server.start()
    assert pid_of(server) != pid
    assert answer(server, "select id from film") == 603


def test_it_is_postgresql_16_durable_in_utc_and_off_the_network(make_server: MakeServer) -> None:
    server = make_server(durable=True, empty=True)
    server.start()
    expected = {
        "timezone": "UTC",
        "listen_addresses": "",
        "fsync": "on",
        "full_page_writes": "on",
        "synchronous_commit": "on",
        "data_checksums": "on",
        "server_encoding": "UTF8",
        "max_wal_size": "2GB",
        "work_mem": "32MB",
        "random_page_cost": "1.1",
        "jit": "off",
    }
    assert {name: answer(server, f"show {name}") for name in expected} == expected
    assert str(answer(server, "show server_version_num")).startswith("16")
    assert answer(server, "select lower('ÉÖ')") == "éö"


def test_only_the_owner_can_enter_the_folder_of_the_socket(make_server: MakeServer) -> None:
    server = make_server(empty=True)
    server.start()
    for folder in (server.layout.home, server.layout.socket_directory, server.layout.data):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700, folder


def test_odd_path(make_server: MakeServer) -> None:
    server = make_server("it's; a (höre) & !")
    server.start()
    assert server.layout.socket_directory.parent == server.layout.home
    assert answer(server, "select 1") == 1


@pytest.mark.parametrize("character", ['"', "$", "`", "\\", "\n"])
def test_a_path_that_postgresql_would_take_for_a_command(character: str, make_server: MakeServer) -> None:
    server = make_server(f"a{character}b", empty=True)
    with pytest.raises(UsageError, match="move the project"):
        server.start()
    assert not server.layout.home.exists()


@pytest.mark.parametrize("name", ["x" * 100, "a, b"])
def test_a_path_too_long_for_a_socket_or_with_a_comma(name: str, make_server: MakeServer) -> None:
    server = make_server(name)
    server.start()
    folder = server.layout.socket_directory
    assert folder.parent == Path("/tmp")
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert answer(server, "select 1") == 1
    server.stop()
    assert not folder.exists()


@pytest.mark.parametrize("kind", ["link", "open to others", "file"])
def test_somebody_elses_folder_is_not_taken_for_the_sockets(
    kind: str, make_server: MakeServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(paths, "_SHORT", tmp_path)
    server = make_server("x" * 100, empty=True)
    folder = server.layout.socket_directory
    if kind == "link":
        (tmp_path / "elsewhere").mkdir(mode=0o700)
        folder.symlink_to(tmp_path / "elsewhere")
    elif kind == "file":
        folder.touch(mode=0o600)
    else:
        folder.mkdir(mode=0o755)
    with pytest.raises(WarehouseError, match="must be a folder that only its owner"):
        server.start()


def test_a_crashed_server_is_started_again_with_its_data(make_server: MakeServer) -> None:
    server = make_server()
    server.start()
    with connect(server) as connection:
        connection.execute("create table film as select 603 as id")
        connection.execute("checkpoint")
    os.kill(pid_of(server), signal.SIGKILL)
    server.start()
    assert answer(server, "select id from film") == 603


def test_a_stale_pid_file_whose_number_is_anothers_by_now(make_server: MakeServer) -> None:
    server = make_server()
    server.start()
    left_behind = server.layout.pid_file.read_text().split("\n", 1)[1]
    server.stop()
    mine = f"{os.getpid()}\n"
    server.layout.pid_file.write_text(mine + left_behind)
    server.layout.socket.with_name(f"{server.layout.socket.name}.lock").write_text(mine + left_behind)
    server.layout.socket.touch()
    server.start()
    assert answer(server, "select 1") == 1


def test_after_a_crash_nobody_else_is_hurt(make_server: MakeServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("warehouse.server._SETTLE_SECONDS", 0.3)
    server = make_server()
    server.start()
    lines = server.layout.pid_file.read_text().split("\n")
    os.kill(pid_of(server), signal.SIGKILL)
    wait_until(lambda: is_free(server.layout.server_lock))
    # the dead server's number is another process's by now, while a query of it goes on and holds the lock
    bystander = subprocess.Popen(["sleep", "60"])
    server.layout.pid_file.write_text("\n".join([str(bystander.pid), *lines[1:]]))
    server.layout.socket.unlink()
    try:
        with server.layout.server_lock.open("r+b") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            with pytest.raises(WarehouseError, match="accepts no connection"):
                server.start()
            with pytest.raises(WarehouseError, match="does not answer"):
                server.stop()
        assert server.stop() is False
        assert bystander.poll() is None
    finally:
        bystander.kill()
        bystander.wait()


def test_a_server_whose_socket_was_removed_is_restarted(make_server: MakeServer) -> None:
    server = make_server()
    server.start()
    pid = pid_of(server)
    server.layout.socket.unlink()
    server.start()
    assert pid_of(server) != pid
    assert answer(server, "select 1") == 1


@pytest.mark.parametrize("survivor", [None, "initdb"])
def test_a_killed_initdb_is_done_again(survivor: str | None, make_server: MakeServer) -> None:
    server = make_server(empty=True)
    starting = subprocess.Popen(
        [sys.executable, "-m", "warehouse", "start"],
        env={**os.environ, "WAREHOUSE_HOME": str(server.layout.home)},
        stdout=subprocess.DEVNULL,
        start_new_session=True,
    )
    wait_until((server.layout.unfinished_data / "PG_VERSION").exists)
    if survivor:
        starting.kill()
    else:
        os.killpg(starting.pid, signal.SIGKILL)
    starting.wait()
    assert not server.layout.data.exists()
    server.start()
    assert answer(server, "select 1") == 1
    assert not server.layout.unfinished_data.exists()


def test_many_commands_starting_at_once_share_one_server(make_server: MakeServer) -> None:
    server = make_server(empty=True)
    failed: list[BaseException] = []

    def start() -> None:
        try:
            Server(server.layout.home, durable=False).start()
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=start) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    assert answer(server, "select 1") == 1
    assert server.layout.log.read_text().count("starting PostgreSQL") == 1


def test_the_lock_of_a_running_server_is_never_free(make_server: MakeServer) -> None:
    server = make_server()
    server.start()
    assert not is_free(server.layout.server_lock)
    server.stop()
    assert is_free(server.layout.server_lock)


def test_another_major_version_is_refused(make_server: MakeServer) -> None:
    server = make_server(empty=True)
    server.layout.data.mkdir(parents=True)
    (server.layout.data / "PG_VERSION").write_text("15\n")
    with pytest.raises(WarehouseError, match="made by PostgreSQL 15, this is 16: move it away"):
        server.start()


def test_a_folder_that_is_no_database_is_left_alone(make_server: MakeServer) -> None:
    server = make_server(empty=True)
    server.layout.data.mkdir(parents=True)
    (server.layout.data / "thesis.txt").write_text("precious")
    with pytest.raises(WarehouseError, match="is not a PostgreSQL data directory"):
        server.start()
    assert (server.layout.data / "thesis.txt").read_text() == "precious"


def test_a_failing_start_shows_why(make_server: MakeServer) -> None:
    server = make_server()
    server.start()
    server.stop()
    with (server.layout.data / "postgresql.auto.conf").open("a") as settings:
        settings.write("no_such_setting = 1\n")
    with pytest.raises(WarehouseError, match=r"did not start(?s:.)*no_such_setting"):
        server.start()


def test_a_place_that_cannot_be_written(make_server: MakeServer, tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file")
    with pytest.raises(WarehouseError, match=r"cannot use .*taken/w for the warehouse.*WAREHOUSE_HOME"):
        make_server("taken/w", empty=True).start()


def test_the_log_stays_small(make_server: MakeServer) -> None:
    server = make_server()
    server.start()
    with server.layout.log.open("ab") as log:
        log.write(b"a line\n" * 1_000_000)
    server.start()
    with pytest.raises(psycopg.Error), connect(server) as connection:
        connection.execute("select no_such_column")
    assert server.layout.log.stat().st_size < 100_000
    assert "no_such_column" in server.layout.log.read_text()
    assert server.layout.old_log.stat().st_size == 5_000_000


def test_the_server_outlives_the_terminal_and_holds_no_pipe(make_server: MakeServer) -> None:
    server = make_server()
    # ends only when nobody holds the pipe any more
    shown = subprocess.run(
        [sys.executable, "-m", "warehouse", "start"],
        env={**os.environ, "WAREHOUSE_HOME": str(server.layout.home)},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert f"PGHOST={server.layout.socket_directory}" in shown.stdout
    assert os.getsid(pid_of(server)) != os.getsid(0)


def test_the_database_is_made_when_missing(make_server: MakeServer, monkeypatch: pytest.MonkeyPatch) -> None:
    server = make_server()
    first = warehouse.ensure(server.layout.home, durable=False)
    assert first == {
        "PGHOST": str(server.layout.socket_directory),
        "PGPORT": "5432",
        "PGUSER": "postgres",
        "PGDATABASE": "tmdb",
        **session.variables(),
    }
    for name in ("tmdb_demo", "tmdb_demo", 'o\'dd "name" é'):
        monkeypatch.setenv("PGDATABASE", name)
        assert warehouse.ensure(server.layout.home)["PGDATABASE"] == name
        assert answer(server, "select count(*) from pg_database where datname like '%d%'") is not None
        with psycopg.connect(host=first["PGHOST"], user="postgres", dbname=name) as connection:
            assert connection.info.dbname == name
    monkeypatch.setenv("PGDATABASE", "x" * 64)
    with pytest.raises(WarehouseError, match="at most 63 bytes"):
        warehouse.ensure(server.layout.home)


@pytest.mark.parametrize(("megabytes", "parallel"), [(64, False), (4096, True)])
def test_no_parallel_queries_where_shared_memory_is_small(
    megabytes: int, parallel: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shared_memory = os.statvfs_result((4096, 4096, megabytes * 256, 0, 0, 0, 0, 0, 0, 255))
    monkeypatch.setattr(os, "statvfs", lambda path: shared_memory)
    written = configuration.postgresql_conf(tmp_path, durable=True)
    assert ("max_parallel_workers_per_gather = '0'" not in written) is parallel


@pytest.mark.parametrize(
    ("gibibytes", "limit", "buffers"),
    [(0.5, None, 128), (4, None, 512), (24, None, 2048), (64, 1 << 30, 128), (4, 64 << 30, 512)],
)
def test_what_postgresql_keeps_in_memory_follows_the_machine_and_its_container(
    gibibytes: float, limit: int | None, buffers: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine = {"SC_PHYS_PAGES": int(gibibytes * 262_144), "SC_PAGE_SIZE": 4096}
    monkeypatch.setattr(os, "sysconf", machine.__getitem__)
    group = tmp_path / "memory.max"
    group.write_text("max\n" if limit is None else f"{limit}\n")
    monkeypatch.setattr(configuration, "CONTAINER_LIMIT", group)
    written = configuration.postgresql_conf(tmp_path, durable=True)
    assert f"shared_buffers = '{buffers}MB'" in written
