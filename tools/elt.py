"""One day: fetch the films, build and test the tables; then how long each step took, and who must know.

    python -m tools.elt [--build-only] [OPTIONS OF THE EXTRACTOR] [-- OPTIONS OF DBT BUILD]

`make elt`, `make dbt` (--build-only) and the containers' deploy/elt are this. One at a time in a database:
a second one says who is at work, and ends with 1. Exit code: that of the step that failed; 130 and 143:
ended by Ctrl-C and SIGTERM. A failed day is told to the webhook that TMDB_NOTIFY_URL names, a failed
--build-only to nobody. --log-format json holds for all steps; --dry-run only says what would be fetched.
"""

import argparse
import asyncio
import importlib
import json
import logging
import os
import signal
import sys
import threading
import time
from asyncio.subprocess import PIPE, Process
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Final

import click
import psycopg

import warehouse
from common import notify, signals
from common.errors import ProgramError
from common.program import Program
from extractor import schema
from tools import dbt_command
from warehouse import advisory, environment
from warehouse.advisory import Connection

log = logging.getLogger("elt")

#: One build at a time: two replace each other's views, and at least one of them fails (measured).
LOCK: Final = advisory.Lock(
    advisory.DAY,
    "another make elt or make dbt is at work on these tables",
    "two builds at once would break each other",
)

#: A day tests what can be wrong that day. These repeat what a key, a constraint or the models' own SQL holds
#: to in any case, and are for whoever changes the models: `make dbt` runs them.
HELD_ANYHOW: Final = (
    "test_name:not_null",
    "test_name:unique",
    "test_name:unique_combination",
    "test_name:relationships",
    "test_name:accepted_values",
    "test_name:accepted_range",
    "groups_count_films_once",
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


class _FailedError(ProgramError):
    """A step failed. `told`: it has told the webhook by itself."""

    def __init__(self, message: str, step: str, exit_code: int, *, told: bool = False) -> None:
        super().__init__(message)
        self.step = step
        self.exit_code = exit_code
        self.told = told


class Day:
    """The steps, each a program of its own. `extract_options` None: only build."""

    def __init__(self, extract_options: list[str] | None, build_options: list[str]) -> None:
        self.steps: list[Step] = []
        self.signal: int | None = None
        self._extract_options = extract_options
        self._build_options = build_options
        self._step: Process | None = None

    async def run(self) -> None:
        """All steps, under the lock. Raises `_FailedError`, or `ProgramError` if the lock can't be had."""
        # in a thread: a server that does not answer must not keep a signal from being heard
        await asyncio.to_thread(warehouse.enter)
        dbt_command.refuse_unwritable()
        async with advisory.held(LOCK, "build") as lock:
            await schema.refuse_newer(lock)
            for file in (results_file(), figures_file()):
                file.unlink(missing_ok=True)
            if self._extract_options is None:
                await self._build(await self._start_dbt(lock))
                return
            # dbt takes some seconds to load and to read the project, in which films can be fetched
            dbt = await self._start_dbt(lock, "--wait")
            try:
                await self._extract(lock, self._extract_options)
                async with _still_locked(lock) as lock_now:
                    if lock_now is not lock or dbt.returncode is not None:
                        await _dismiss(dbt)  # it would hold the lost lock
                        dbt = await self._start_dbt(lock_now, "--wait")
                    await self._build(dbt)
            finally:
                await _dismiss(dbt)

    def hand_on(self, number: signal.Signals) -> bool:
        """Hand a signal on to the step at work, if there is one; what a terminal sends, it has had."""
        self.signal = self.signal or number
        if self._step is None:
            return False
        if number == signal.SIGTERM or not os.isatty(0):
            with suppress(ProcessLookupError):
                self._step.send_signal(number)
        return True

    async def _extract(self, lock: Connection, options: list[str]) -> None:
        started = time.monotonic()
        command = ("-m", "extractor", "run", *options)
        code, killed = await self._end("extract", await _start(lock, *command), started)
        if code:
            raise _FailedError(
                f"step 1 of 2 failed: extract. The tables were not built (exit code {code})",
                "extract",
                code,
                told=not killed,
            )

    async def _start_dbt(self, lock: Connection, *wait: str) -> Process:
        command = ("-m", "tools.dbt_command", *wait, "build", *self._build_options)
        return await _start(lock, *command, stdin=PIPE if wait else None)

    async def _build(self, dbt: Process) -> None:
        started = time.monotonic()
        if dbt.stdin is not None:
            dbt.stdin.write(dbt_command.GO)
            dbt.stdin.close()
        code, _ = await self._end("dbt build", dbt, started)
        parts, failed = read_results(results_file())
        self.steps[-1].parts = parts
        if not (code or parts):  # of which dbt says only that there is nothing to do
            raise _FailedError("SELECT names nothing that is built: see dbt's warning", "dbt build", 2)
        if code:
            which = "step 2 of 2 failed: dbt build" if len(self.steps) > 1 else "dbt build failed"
            if failed:
                named = ", ".join(failed[:_NAMED]) + " …" * (len(failed) > _NAMED)
                which = f"{which}: {len(failed)} in error: {named}"
            try:  # where the server, or a node of it, is the reason, that is what to know
                await asyncio.to_thread(warehouse.ensure)
            except warehouse.WarehouseError as error:
                which = f"{which}; {error}"
            # a container's verbs are not those of the project's folder
            again = os.environ.get("ELT_BUILD_COMMAND") or "make dbt"
            raise _FailedError(
                f"{which}. The films are landed; to build the tables again: {again} (exit code {code})",
                "dbt build",
                code,
            )

    async def _end(self, name: str, process: Process, started: float) -> tuple[int, bool]:
        """Wait for the step's end; its exit code, and whether a signal killed it."""
        self._step = process
        code = await process.wait()
        self._step = None
        killed = code < 0
        if self.signal is not None:
            code = 128 + self.signal
        elif killed:
            code = 128 - code
        self.steps.append(Step(name, time.monotonic() - started, code))
        return code, killed


async def _start(lock: Connection, *command: str, stdin: int | None = None) -> Process:
    """Start a Python program of ours.

    It inherits the lock's socket: if this program is killed, the lock is held until the step has ended.
    """
    # A dbt that is ended by a signal would leave a warning of Python's behind, about its semaphores.
    warnings = ",".join(filter(None, [os.environ.get("PYTHONWARNINGS"), "ignore:resource_tracker"]))
    return await asyncio.create_subprocess_exec(
        sys.executable,
        *command,
        stdin=stdin,
        pass_fds=(lock.fileno(),),
        env={**os.environ, "PYTHONWARNINGS": warnings},
    )


async def _dismiss(dbt: Process) -> None:
    """End a dbt that waits; one that was told to go has ended by now."""
    if dbt.returncode is None:
        with suppress(ProcessLookupError):
            dbt.kill()
        await dbt.wait()


@asynccontextmanager
async def _still_locked(connection: Connection) -> AsyncIterator[Connection]:
    """The lock for the build, also if the server was restarted meanwhile, which an extraction survives."""
    try:
        await connection.execute("select")
        lost = False
    except psycopg.OperationalError:
        lost = True
    if lost:
        async with advisory.held(LOCK, "build") as again:
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
    started = time.monotonic()
    program = Program()
    day: Day | None = None
    code, reason = 0, ""
    failed: Exception | None = None
    try:
        environment.load()
        build_only, extract_options, build_options = _options(words)
        program.mask(os.environ.get("TMDB_TOKEN"))
        if not build_only:  # who types make dbt sees that it failed
            program.use_webhook(os.environ.get(notify.VARIABLE))
        program.use_format(os.environ.get("TMDB_LOG_FORMAT"))
        program.log_at()
        if program.log_format == "json":
            os.environ.setdefault("DBT_LOG_FORMAT", "json")
        if not build_only and _is_dry_run(extract_options):
            os.execv(sys.executable, [sys.executable, "-m", "extractor", "run", *extract_options])  # noqa: S606
        day = Day(None if build_only else extract_options, build_options)
        _execute(day, program)
    except Exception as error:
        failed = error
        code, reason = program.explain(error)
    if day and day.steps:
        seconds = time.monotonic() - started
        took = ", ".join(map(str, day.steps))
        log.info("%s after %.1f s: %s", "ended" if code else "done", seconds, took)
        write_figures(day.steps, seconds, code)
    is_known = code in (0, 128 + signal.SIGINT) or (isinstance(failed, _FailedError) and failed.told)
    if not is_known:
        step = failed.step if isinstance(failed, _FailedError) else "start"
        status = "interrupted" if day and day.signal else "failed"
        with suppress(KeyboardInterrupt):
            program.tell(step=step, status=status, code=code, reason=reason)
    return code


def _options(words: list[str]) -> tuple[bool, list[str], list[str]]:
    """Only build? Then the options of the extractor and of dbt."""
    split = words.index("--") if "--" in words else len(words)
    parser = argparse.ArgumentParser(
        prog="python -m tools.elt",
        usage=argparse.SUPPRESS,
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--build-only", action="store_true")
    parser.add_argument("--log-format")
    own, extract_options = parser.parse_known_args(words[:split])
    if own.log_format is not None:
        os.environ["TMDB_LOG_FORMAT"] = own.log_format  # for all steps
    build_options = words[split + 1 :]
    if not own.build_only:
        # unit tests judge the models, not the day's data
        build_options += ["--exclude-resource-type", "unit_test"]
        build_options += ["--exclude", *HELD_ANYHOW]
    return own.build_only, extract_options, build_options


def _is_dry_run(extract_options: list[str]) -> bool:
    """Is the extraction to say only what it would do? It refuses a value that says neither yes nor no."""
    said = os.environ.get("TMDB_DRY_RUN")
    try:
        return "--dry-run" in extract_options or bool(said and click.BOOL.convert(said, None, None))
    except click.BadParameter:
        return True


def _execute(day: Day, program: Program) -> None:
    """Run the day. A signal goes to the step at work; before and after one it ends the day."""
    stopped = "stopped before the end"

    def at_last(code: int) -> None:
        if code != 128 + signal.SIGINT:
            seconds = signals.LAST_WORD_SECONDS
            program.tell(step="start", status="interrupted", code=code, reason=stopped, seconds=seconds)

    def hand_on(number: signal.Signals) -> bool:
        handed = day.hand_on(number)
        if not handed and program.webhook is not None:
            # the last word has a second, which on a busy machine loading httpx alone can take
            threading.Thread(target=importlib.import_module, args=["httpx"], daemon=True).start()
        return handed

    signals.execute(day.run(), hand_on=hand_on, afterwards=stopped, at_last=at_last)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
