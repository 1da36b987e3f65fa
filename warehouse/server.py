"""The embedded PostgreSQL 16: made, started, found again and stopped.

One rule carries the recovery from crashes: the server's processes inherit a locked file (``server.lock``),
which the kernel unlocks when the last of them is gone. A free lock therefore proves that nothing uses the
data, whatever a ``postmaster.pid`` left behind says, also when its number belongs to another process by now.
"""

import os
import platform
import shutil
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

from warehouse import binaries, configuration, locks
from warehouse.account import Account, account_for, cannot_change_account
from warehouse.errors import UsageError, WarehouseError
from warehouse.paths import Layout, make_private

_START_SECONDS = 300  # replaying max_wal_size after a crash takes time
_STOP_SECONDS = 120  # writes what is in memory
_SETTLE_SECONDS = 20  # for a server on its way up or down
_ANSWER_SECONDS = 5
_LOG_BYTES = 5_000_000
_TAIL_LINES = 12
_NAME_BYTES = 63
_UNQUOTABLE = set('"$`\\\n')  # initdb and pg_ctl put paths between double quotes for a shell

_CREATE_DATABASE = """\
select format('create database %I', :'name')
where not exists (select from pg_catalog.pg_database where datname = :'name')
\\gexec
"""


class Server:
    """The embedded server whose files are in ``home``. ``durable=False`` is for tests."""

    def __init__(self, home: Path, *, durable: bool = True) -> None:
        self.layout = Layout(home)
        self._durable = durable

    def start(self) -> None:
        """Start the server unless it runs. Raises ``WarehouseError`` with the log's last lines."""
        try:
            if self._answers():
                self._cut_log()
            else:
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

    def create_database(self, name: str) -> None:
        """Make the database unless it is there. The server must be running. Raises ``WarehouseError``."""
        if len(name.encode()) > _NAME_BYTES:
            raise UsageError(
                f"PGDATABASE={name} is too long: PostgreSQL's names have at most {_NAME_BYTES} bytes"
            )
        command = [binaries.program("psql"), *self._address(), "--dbname=postgres", f"--set=name={name}"]
        command += ["--no-psqlrc", "--quiet", "--no-password", "--set=ON_ERROR_STOP=1"]
        for _ in range(2):  # the second time finds what another command made meanwhile
            done = subprocess.run(
                command,
                input=_CREATE_DATABASE,
                capture_output=True,
                text=True,
                errors="replace",
                env=_plain_environment(),
                check=False,
            )
            if done.returncode == 0:
                return
        raise WarehouseError(f"cannot make the database {name!r}: {done.stderr.strip()}\n{self._tail(0)}")

    def _start(self) -> None:
        layout = self.layout
        for path in (layout.home, binaries.directory()):
            if _UNQUOTABLE & set(str(path)):
                raise UsageError(
                    f"PostgreSQL's programs cannot work in {path}: move the project (or WAREHOUSE_HOME) "
                    'to a path without ", $, `, \\ and line breaks'
                )
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
        began = time.monotonic()
        while (lock := locks.wait_for_lock(self.layout.server_lock, account.owner, 0.2)) is None:
            if self._answers():
                return None
            patience = _START_SECONDS if self._answers(also_busy=True) else _SETTLE_SECONDS
            if not self.layout.socket.exists() and self._postmaster(ready=True):
                self._end(account)  # somebody removed its socket, as cleaners of /tmp do
            if time.monotonic() > began + patience:
                raise WarehouseError(
                    f"a PostgreSQL server uses {self.layout.data} but accepts no connection on "
                    f"{self.layout.socket_directory}{self._process()}. It may be recovering from a crash, "
                    f"or finishing a query: wait, or end it, then try again\n{self._tail(0)}"
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
        for stale in (layout.pid_file, layout.socket.with_name(f"{layout.socket.name}.lock")):
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
            if self._answers(also_busy=True) or self._postmaster():
                break
            if time.monotonic() > deadline:
                raise WarehouseError(
                    f"the PostgreSQL server of {layout.data} does not answer{self._process()}: end it by hand"
                )
            time.sleep(0.1)
        if lock is None:
            self._end(account)
            if layout.socket_directory.parent != layout.home:
                layout.socket_directory.rmdir()  # in /tmp, where nothing is left behind
            return True
        os.close(lock)
        return False

    def _end(self, account: Account) -> None:
        """Shut down the server that ``postmaster.pid`` names, which has been seen to be ours."""
        layout = self.layout
        self._call(
            account, "pg_ctl", ["stop", f"--pgdata={layout.data}", "--mode=fast", "--no-wait", "--silent"]
        )
        lock = locks.wait_for_lock(layout.server_lock, account.owner, _STOP_SECONDS)
        if lock is None:
            raise WarehouseError(
                f"PostgreSQL did not stop within {_STOP_SECONDS} s{self._process()}\n{self._tail(0)}"
            )
        os.close(lock)

    def _answers(self, *, also_busy: bool = False) -> bool:
        """Does the server accept connections (``also_busy``: or say that it will, or no longer does)?"""
        if not self.layout.socket.exists():
            return False
        command = [binaries.program("pg_isready"), *self._address(), "--dbname=postgres"]
        command += ["--quiet", f"--timeout={_ANSWER_SECONDS}"]
        status = subprocess.run(command, env=_plain_environment(), check=False).returncode
        return status == 0 or (also_busy and status == 1)

    def _address(self) -> list[str]:
        return [
            f"--host={self.layout.socket_directory}",
            f"--port={configuration.PORT}",
            f"--username={configuration.SUPERUSER}",
        ]

    def _call(
        self, account: Account, program: str, arguments: Sequence[str], lock: int | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run one of PostgreSQL's programs as the server's account; what it starts inherits ``lock``."""
        done = subprocess.run(
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
        if account.prefix and done.stdout.startswith("setpriv:"):
            raise cannot_change_account(done.stdout.strip())
        return done

    def _postmaster(self, *, ready: bool = False) -> bool:
        """Is the process that ``postmaster.pid`` names this server's (and, if asked, fully up)?"""
        pid, *others = self._pid_file()
        shown = _command_line(pid)
        is_ours = b"postgres" in shown and os.fsencode(self.layout.data) in shown
        return is_ours and (not ready or "ready" in others)

    def _process(self) -> str:
        pid = self._pid_file()[0]
        return f" (process {pid})" if pid else ""

    def _pid_file(self) -> list[str]:
        """The lines of ``postmaster.pid``; the first is the process's number, or empty."""
        try:
            return [line.strip() for line in self.layout.pid_file.read_text().split("\n")]
        except FileNotFoundError:
            return [""]

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
        if not log.exists():
            return
        with log.open("r+b") as file:
            size = file.seek(0, os.SEEK_END)
            if size <= _LOG_BYTES:
                return
            file.seek(size - _LOG_BYTES)
            self.layout.old_log.unlink(missing_ok=True)  # may be another account's
            self.layout.old_log.write_bytes(file.read())
            file.truncate(0)


def _command_line(pid: str) -> bytes:
    """How the process was started; empty when there is none."""
    if not pid.isdigit():
        return b""
    if platform.system() == "Linux":  # a small Debian has no ps
        try:
            return Path(f"/proc/{pid}/cmdline").read_bytes()
        except (FileNotFoundError, ProcessLookupError):
            return b""
    shown = subprocess.run(["ps", "-ww", "-o", "command=", "-p", pid], capture_output=True, check=False)
    return shown.stdout


def _last_lines(text: str) -> str:
    return "\n".join(f"  {line}" for line in text.strip().splitlines()[-_TAIL_LINES:])


def _plain_environment() -> dict[str, str]:
    """The environment without what would steer PostgreSQL's programs elsewhere."""
    plain = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
    return plain | {"LC_ALL": "C", "PGCLIENTENCODING": "UTF8"}
