"""One day: fetch the films, build and test the tables; then how long each step took, and who must know.

    python -m tools.elt [--build-only] [OPTIONS OF THE EXTRACTOR] [-- OPTIONS OF DBT BUILD]

`make elt`, `make dbt` (--build-only) and the containers' deploy/elt are this. One at a time in a database:
a second one says who is at work, and ends with 1. Exit code: that of the step that failed; 130 and 143: ended
by Ctrl-C and SIGTERM. A failed day is told to the webhook that TMDB_NOTIFY_URL names (or --notify), a failed
--build-only to nobody. --log-format json holds for all steps.
"""

import argparse
import asyncio
import json
import logging
import os
import signal
import sys
import time
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

import psycopg

import warehouse
from common import logs, notify
from common.errors import ProgramError
from common.report import Report
from common.secret import Secret
from extractor import connection as connections
from extractor.schema import Connection
from tools import dbt_command
from warehouse import environment
from warehouse.errors import UsageError

log = logging.getLogger("elt")

#: One build at a time: two replace each other's views, and at least one of them fails (measured).
LOCK: Final = connections.Lock(
    int.from_bytes(b"tmdb-day", "big"),
    "another make elt or make dbt is at work on these tables",
    "two builds at once would break each other",
)

#: Of failed models and tests, so many are named.
_NAMED: Final = 5


@dataclass
class Step:
    """A step that has ended; `parts`: its seconds by kind of node."""

    name: str
    seconds: float
    exit_code: int
    parts: dict[str, float] = field(default_factory=dict)

    def __str__(self) -> str:
        parts = ", ".join(f"{kind} {seconds:.1f} s" for kind, seconds in self.parts.items())
        return f"{self.name} {self.seconds:.1f} s{f' ({parts})' if parts else ''}"


class _FailedError(Exception):
    """The day can't go on. `told`: the step has told the webhook by itself."""

    def __init__(self, message: str, step: str, exit_code: int, *, told: bool = False) -> None:
        super().__init__(message)
        self.step = step
        self.exit_code = exit_code
        self.told = told


class Day:
    """The steps, each a program of its own. `extract_options` None: only build."""

    def __init__(self, extract_options: list[str] | None, build_options: list[str]) -> None:
        self.steps: list[Step] = []
        self.signal: signal.Signals | None = None
        self._extract_options = extract_options
        self._build_options = build_options
        self._child: asyncio.subprocess.Process | None = None

    async def run(self) -> None:
        """All steps, under the lock. Raises `_FailedError`, or `ProgramError` if the lock can't be had."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            loop.add_signal_handler(number, self._stop, number)
        async with connections.locked(LOCK) as connection:
            for file in (results_file(), figures_file()):
                file.unlink(missing_ok=True)
            if self._extract_options is not None:
                await self._extract(connection, self._extract_options)
            async with _still_locked(connection) as connection:
                await self._build(connection)

    async def _extract(self, lock: Connection, options: list[str]) -> None:
        code, killed = await self._step(lock, "extract", sys.executable, "-m", "extractor", "run", *options)
        if code:
            raise _FailedError(
                f"step 1 of 2 failed: extract. The tables were not built (exit code {code})",
                "extract",
                code,
                told=not killed,
            )

    async def _build(self, lock: Connection) -> None:
        code, _ = await self._step(
            lock, "dbt build", sys.executable, "-m", "tools.dbt_command", "build", *self._build_options
        )
        parts, failed = read_results(results_file())
        self.steps[-1].parts = parts
        if code:
            which = "step 2 of 2 failed: dbt build" if len(self.steps) > 1 else "dbt build failed"
            if failed:
                named = ", ".join(failed[:_NAMED]) + " …" * (len(failed) > _NAMED)
                which = f"{which}: {len(failed)} in error: {named}"
            # a container's verbs are not those of the project's folder
            again = os.environ.get("ELT_BUILD_COMMAND") or "make dbt"
            raise _FailedError(
                f"{which}. The films are landed; to build the tables again: {again} (exit code {code})",
                "dbt build",
                code,
            )

    async def _step(self, lock: Connection, name: str, *command: str) -> tuple[int, bool]:
        """Run a program to its end; its exit code, and whether a signal killed it.

        It inherits the lock's socket: if this program is killed, the lock is held until the step has ended.
        """
        started = time.monotonic()
        killed = False
        code = 0
        if self.signal is None:
            self._child = await asyncio.create_subprocess_exec(*command, pass_fds=(lock.fileno(),))
            if self.signal is not None:  # it came while the program was started
                self._child.send_signal(self.signal)
            code = await self._child.wait()
            self._child = None
            killed = code < 0
        if self.signal is not None:
            code = 128 + self.signal
        elif killed:
            code = 128 - code
        self.steps.append(Step(name, time.monotonic() - started, code))
        return code, killed

    def _stop(self, number: signal.Signals) -> None:
        """Hand a signal on, and begin no further step; what a terminal sends, the step has had from it."""
        self.signal = self.signal or signal.Signals(number)
        if self._child is not None and (number == signal.SIGTERM or not os.isatty(0)):
            with suppress(ProcessLookupError):
                self._child.send_signal(number)


@asynccontextmanager
async def _still_locked(connection: Connection) -> AsyncIterator[Connection]:
    """The lock for the build, also if the server was restarted meanwhile, which an extraction survives."""
    try:
        await connection.execute("select")
        lost = False
    except psycopg.OperationalError:
        lost = True
    if lost:
        async with connections.locked(LOCK) as again:
            yield again
    else:
        yield connection


def results_file() -> Path:
    """Where dbt writes what each node did."""
    return dbt_command.folder() / "target" / "run_results.json"


def figures_file() -> Path:
    """Where the day's figures are written, for `tools/run_summary.py`."""
    return results_file().with_name("elt.json")


def read_results(file: Path) -> tuple[dict[str, float], list[str]]:
    """The seconds by kind of node (models, tests, seeds), and the nodes that failed; nothing if dbt did not
    come so far.
    """
    if not file.exists():
        return {}, []
    seconds: dict[str, float] = defaultdict(float)
    failed = []
    for node in json.loads(file.read_text())["results"]:
        kind = node["unique_id"].partition(".")[0]
        if kind in ("model", "test", "seed", "unit_test"):
            seconds[f"{kind.replace('_', ' ')}s"] += node["execution_time"]
        if node["status"] in ("error", "fail", "runtime error"):
            failed.append(node["unique_id"])
    return {kind: round(spent, 1) for kind, spent in sorted(seconds.items())}, failed


def write_figures(steps: list[Step], seconds: float, exit_code: int) -> None:
    """The day's figures as JSON: seconds and exit code of each step and of all."""
    content = {"seconds": seconds, "exit_code": exit_code, "steps": [asdict(step) for step in steps]}
    try:
        figures_file().parent.mkdir(parents=True, exist_ok=True)
        figures_file().write_text(json.dumps(content))
    except OSError as error:  # a full disk must not hide what went before
        log.warning("could not write %s: %s", figures_file(), error.strerror)


def main(words: list[str]) -> int:
    """The day; its exit code."""
    try:
        environment.load()
    except warehouse.WarehouseError as error:
        print(f"make elt: {error}", file=sys.stderr)
        return error.exit_code
    split = words.index("--") if "--" in words else len(words)
    parser = argparse.ArgumentParser(
        prog="python -m tools.elt",
        usage=argparse.SUPPRESS,
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--build-only", action="store_true")
    parser.add_argument("--notify")
    parser.add_argument("--log-format")
    own, extract_options = parser.parse_known_args(words[:split])
    # they hold for all steps, and are passed on as variables
    for variable, value in ((notify.VARIABLE, own.notify), ("TMDB_LOG_FORMAT", own.log_format)):
        if value is not None:
            os.environ[variable] = value
    form = (os.environ.get("TMDB_LOG_FORMAT") or "text").lower()
    if form == "json":
        os.environ.setdefault("DBT_LOG_FORMAT", "json")
    build_options = words[split + 1 :]
    if not own.build_only:
        # unit tests judge the models, not the day's data
        build_options = [*build_options, "--exclude-resource-type", "unit_test"]

    report = Report()
    secrets = [Secret(token)] if (token := (os.environ.get("TMDB_TOKEN") or "").strip()) else []
    webhook = None
    started = time.monotonic()
    day = Day(None if own.build_only else extract_options, build_options)
    logs.set_up("INFO", secrets, form=form, report=report)
    failure: _FailedError | None = None
    try:
        webhook = notify.address(os.environ.get(notify.VARIABLE))
        if webhook is not None:
            secrets += notify.secrets_of(webhook)
            logs.set_up("INFO", secrets, form=form, report=report)
        warehouse.enter()
        asyncio.run(day.run())
    except _FailedError as error:
        failure = error
    except ProgramError as error:
        failure = _FailedError(str(error), "start", error.exit_code)
    except warehouse.WarehouseError as error:
        failure = _FailedError(str(error), "start", 2 if isinstance(error, UsageError) else 1)
    except Exception as error:
        log.exception("a fault of the program itself, please report it:")
        failure = _FailedError(f"a fault of the program itself: {type(error).__name__}: {error}", "start", 1)
    code = failure.exit_code if failure else 0
    if failure:
        log.error("%s", failure)
    if day.steps:
        seconds = time.monotonic() - started
        took = ", ".join(map(str, day.steps))
        log.info("%s after %.1f s: %s", "ended" if failure else "done", seconds, took)
        write_figures(day.steps, seconds, code)
    if failure and webhook and not failure.told and not own.build_only and day.signal != signal.SIGINT:
        content: dict[str, Any] = notify.summary(
            report,
            step=failure.step,
            status="interrupted" if day.signal else "failed",
            exit_code=code,
            reason=str(failure),
            secrets=secrets,
        )
        with suppress(KeyboardInterrupt):
            notify.send(webhook, content)
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
