"""The embedded PostgreSQL 16: made, started, found again and stopped.

One rule carries the recovery from crashes: the server's processes inherit a locked file (``server.lock``),
which the kernel unlocks when the last of them is gone. A free lock therefore proves that nothing uses the
data, whatever a ``postmaster.pid`` left behind says, also when its number belongs to another process by now.
"""

import os
import shutil
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

from warehouse import binaries, configuration, locks
from warehouse.account import Account, account_for
from warehouse.errors import WarehouseError
from warehouse.paths import Layout, make_private

_START_SECONDS = 300  # replaying max_wal_size after a crash takes time
_STOP_SECONDS = 120  # writes what is in memory
_SETTLE_SECONDS = 20  # for a server on its way up or down
_LOG_BYTES = 5_000_000
_TAIL_LINES = 12


class Server:
    """The embedded server whose files are in ``home``. ``durable=False`` is for tests."""

    def __init__(self, home: Path, *, durable: bool = True) -> None:
        self.layout = Layout(home)
        self._durable = durable

    def start(self) -> None:
        """Start the server unless it runs. Raises ``WarehouseError`` with the log's last lines."""
        if self._answers():
            self._cut_log()
            return
        try:
            self._start()
        except OSError as error:
            raise WarehouseError(
                f"cannot use {self.layout.home} for the warehouse: {error.strerror or error}"
                f"{f' ({error.filename})' if error.filename else ''}. "
                "Make room or mend the permissions, or set WAREHOUSE_HOME to another folder, "
                "or PGHOST to a server"
            ) from error

    def stop(self) -> bool:
        """End the server, its data written; False when it wasn't running."""
        layout = self.layout
        try:
            if not layout.data.exists():
                return False
            account = account_for(layout.home, layout.data)
            with locks.held(layout.command_lock, account.owner, _START_SECONDS):
                return self._stop(account)
        except OSError as error:
            raise WarehouseError(f"cannot stop the warehouse in {layout.home}: {error}") from error

    def _start(self) -> None:
        layout = self.layout
        account = account_for(layout.home, layout.data)
        if not layout.home.exists():
            layout.home.mkdir(parents=True, exist_ok=True)
            layout.home.chmod(0o700)
            account.give(layout.home, account.owner)
        with locks.held(layout.command_lock, account.owner, _START_SECONDS):
            if self._answers():  # another command was faster
                return
            lock = self._settle(account)
            if lock is None:
                return
            try:
                self._prepare(account, lock)
                self._launch(account, lock)
            finally:
                os.close(lock)

    def _settle(self, account: Account) -> int | None:
        """Take ``server.lock``; None when a server that was on its way up answers meanwhile."""
        deadline = time.monotonic() + _SETTLE_SECONDS
        while (lock := locks.wait_for_lock(self.layout.server_lock, account.owner, 0.2)) is None:
            if self._answers():
                return None
            if time.monotonic() > deadline:
                raise WarehouseError(
                    f"a PostgreSQL server uses {self.layout.data} but does not answer on "
                    f"{self.layout.socket_directory}{self._process()}: wait if it recovers from a crash, "
                    f"else end it and try again\n{self._tail(0)}"
                )
        return lock

    def _prepare(self, account: Account, lock: int) -> None:
        """Everything on disk as a start needs it. ``lock`` proves that no server uses it."""
        layout = self.layout
        make_private(layout.socket_directory, account.owner)
        if not layout.data.exists():
            self._initialise(account, lock)
        version = layout.data / "PG_VERSION"
        if not version.exists():
            raise WarehouseError(
                f"{layout.data} is not a PostgreSQL data directory: move it away, then try again"
            )
        if (major := version.read_text().strip()) != binaries.MAJOR:
            raise WarehouseError(
                f"{layout.data} was made by PostgreSQL {major}, this is {binaries.MAJOR}: "
                f"move it away to start anew, or serve it with PostgreSQL {major} and set PGHOST"
            )
        socket_lock = layout.socket_directory / f".s.PGSQL.{configuration.PORT}.lock"
        for stale in (layout.data / "postmaster.pid", socket_lock):
            stale.unlink(missing_ok=True)
        for name, text in (
            ("postgresql.conf", configuration.postgresql_conf(layout.socket_directory, self._durable)),
            ("pg_hba.conf", configuration.HOST_BASED_AUTHENTICATION),
        ):
            path = layout.data / name
            path.write_text(text)
            account.give(path, account.server)

    def _initialise(self, account: Account, lock: int) -> None:
        layout = self.layout
        if layout.unfinished_data.exists():  # an initdb that was killed
            shutil.rmtree(layout.unfinished_data)
        layout.unfinished_data.mkdir(mode=0o700)
        account.give(layout.unfinished_data, account.server)
        done = self._call(
            account,
            "initdb",
            [f"--pgdata={layout.unfinished_data}", *configuration.initdb_options(self._durable)],
            lock,
        )
        if done.returncode != 0:
            raise WarehouseError(f"cannot make a database in {layout.data}:\n{_last_lines(done.stdout)}")
        layout.unfinished_data.rename(layout.data)

    def _launch(self, account: Account, lock: int) -> None:
        layout = self.layout
        self._cut_log()
        before = layout.log.stat().st_size if layout.log.exists() else 0
        done = self._call(
            account,
            "pg_ctl",
            [
                "start",
                f"--pgdata={layout.data}",
                f"--log={layout.log}",
                f"--timeout={_START_SECONDS}",
                "--wait",
                "--silent",
            ],
            lock,
        )
        if done.returncode != 0:
            raise WarehouseError(
                f"PostgreSQL did not start in {layout.data}:\n{_last_lines(done.stdout)}\n"
                f"{self._tail(before)}"
            )

    def _stop(self, account: Account) -> bool:
        layout = self.layout
        deadline = time.monotonic() + _SETTLE_SECONDS
        while (lock := locks.try_lock(layout.server_lock, account.owner)) is None:
            if self._answers(also_busy=True):
                break
            if time.monotonic() > deadline:
                raise WarehouseError(
                    f"the PostgreSQL server of {layout.data} does not answer{self._process()}: end it by hand"
                )
            time.sleep(0.1)
        if lock is None:
            self._call(
                account, "pg_ctl", ["stop", f"--pgdata={layout.data}", "--mode=fast", "--no-wait", "--silent"]
            )
            lock = locks.wait_for_lock(layout.server_lock, account.owner, _STOP_SECONDS)
            if lock is None:
                raise WarehouseError(
                    f"PostgreSQL did not stop within {_STOP_SECONDS} s{self._process()}\n{self._tail(0)}"
                )
            os.close(lock)
            return True
        os.close(lock)
        return False

    def _answers(self, *, also_busy: bool = False) -> bool:
        """Does the server accept connections (``also_busy``: or say that it will, or no longer does)?"""
        directory = self.layout.socket_directory
        if not (directory / f".s.PGSQL.{configuration.PORT}").exists():
            return False
        command = [binaries.program("pg_isready"), "--quiet", "--timeout=5", "--dbname=postgres"]
        command += [
            f"--host={directory}",
            f"--port={configuration.PORT}",
            f"--username={configuration.SUPERUSER}",
        ]
        status = subprocess.run(command, env=_plain_environment(), check=False).returncode
        return status == 0 or (also_busy and status == 1)

    def _call(
        self, account: Account, program: str, arguments: Sequence[str], lock: int | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run one of PostgreSQL's programs as the server's account; what it starts inherits ``lock``."""
        return subprocess.run(
            [*account.prefix, binaries.program(program), *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            cwd=self.layout.home,
            env=_plain_environment(),
            pass_fds=() if lock is None else (lock,),
            check=False,
        )

    def _process(self) -> str:
        try:
            first = (self.layout.data / "postmaster.pid").read_text().split("\n", 1)[0].strip()
        except OSError:
            return ""
        return f" (process {first})"

    def _tail(self, start: int) -> str:
        """The log's last lines after byte ``start``."""
        try:
            with self.layout.log.open("rb") as log:
                log.seek(max(start, self.layout.log.stat().st_size - 20_000))
                text = log.read().decode(errors="replace")
        except FileNotFoundError:
            return f"(no log in {self.layout.log})"
        return f"The last lines of {self.layout.log}:\n{_last_lines(text)}"

    def _cut_log(self) -> None:
        """Keep the log small: its end moves to ``server.log.1``. The server appends, so it may be running."""
        log = self.layout.log
        if not log.exists() or log.stat().st_size <= _LOG_BYTES:
            return
        with log.open("r+b") as file:
            file.seek(-_LOG_BYTES, os.SEEK_END)
            self.layout.old_log.write_bytes(file.read())
            file.truncate(0)


def _last_lines(text: str) -> str:
    return "\n".join(f"  {line}" for line in text.strip().splitlines()[-_TAIL_LINES:])


def _plain_environment() -> dict[str, str]:
    """The environment without what would steer PostgreSQL's programs elsewhere."""
    plain = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
    return plain | {"LC_ALL": "C"}
