"""A day of films by the clock: ``python -m tools.schedule [--check]``. What the container `scheduler` runs.

`ELT_SCHEDULE` is a crontab's five fields, in UTC (default: 09:00 daily). A day still at work when the next
is due is left to end, and that one is not made up for. SIGTERM and SIGINT go to the day in hand, whose end is
waited for.

Exit code: 0 stopped between two days; that of the day that it was stopped in; 2 `ELT_SCHEDULE` cannot be.
"""

import asyncio
import logging
import os
import signal
import sys
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import Final

from cronsim import CronSim, CronSimError

from common import logs
from warehouse.environment import PROJECT

log = logging.getLogger("schedule")

VARIABLE: Final = "ELT_SCHEDULE"
DEFAULT: Final = "0 9 * * *"
DAY: Final = str(PROJECT / "deploy" / "elt")
#: A wait is cut into these seconds, so that a clock that is set or a machine that slept is noticed.
_LOOK: Final = 30


def next_time(fields: str, after: datetime) -> datetime:
    """The first time after `after` (aware, UTC) that the fields name. Raises `ValueError`: there is none."""
    try:
        return next(CronSim(fields, after))
    except (CronSimError, StopIteration) as error:
        raise ValueError(
            f"{VARIABLE}={fields} names no time: write minute hour day month weekday, such as {DEFAULT}"
        ) from error


class Schedule:
    """Runs `command` at each time of `fields` until a signal comes."""

    def __init__(self, fields: str, command: Sequence[str] = (DAY,)) -> None:
        self._fields = fields
        self._command = command
        self._stopped = asyncio.Event()
        self._child: asyncio.subprocess.Process | None = None

    async def run(self) -> int:
        """Ends by SIGTERM or SIGINT; the exit code."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self._stop, number)
        while True:
            due = next_time(self._fields, datetime.now(UTC))
            log.info("the next day is at %s", due.strftime("%Y-%m-%d %H:%M UTC"))
            if await self._stopped_before(due):
                return 0
            self._child = await asyncio.create_subprocess_exec(*self._command)
            if self._stopped.is_set():  # it came while the day was started
                self._child.terminate()
            code = await self._child.wait()
            self._child = None
            if self._stopped.is_set():
                return code if code >= 0 else 128 - code
            if code:
                log.error("the day ended with exit code %d", code)

    async def _stopped_before(self, due: datetime) -> bool:
        while (left := (due - datetime.now(UTC)).total_seconds()) > 0 and not self._stopped.is_set():
            with suppress(TimeoutError):
                await asyncio.wait_for(self._stopped.wait(), min(left, _LOOK))
        return self._stopped.is_set()

    def _stop(self, number: signal.Signals) -> None:
        self._stopped.set()
        if self._child is not None:
            with suppress(ProcessLookupError):
                self._child.send_signal(number)


def main(words: Sequence[str]) -> int:
    """Check the schedule, and unless `--check` is given keep to it; the exit code."""
    fields = (os.environ.get(VARIABLE) or "").strip() or DEFAULT
    logs.set_up("INFO", [], form=os.environ.get("TMDB_LOG_FORMAT", "").strip().lower())
    try:
        due = next_time(fields, datetime.now(UTC))
        if "--check" in words:
            log.info("%s=%s is next at %s", VARIABLE, fields, due.strftime("%Y-%m-%d %H:%M UTC"))
            return 0
        return asyncio.run(Schedule(fields).run())
    except ValueError as error:
        log.error("%s", error)
        return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
