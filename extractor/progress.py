"""How far a run is: a bar on a terminal, one log line every few seconds elsewhere. All of it on stderr."""

import logging
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from common.report import Counts

log = logging.getLogger(__name__)


class Display:
    """Told of what a run does: draws `bar` if that is enabled, else logs a line each `seconds`."""

    def __init__(self, bar: Progress, seconds: float) -> None:
        self._bar = bar
        self._task = bar.add_task("choosing films", total=None)
        self._seconds = seconds
        self._next_line = time.monotonic() + seconds
        self._total = 0

    def begin(self, total: int) -> None:
        """`total` resources are to be fetched at most."""
        self._total = total
        self._bar.update(self._task, total=total, description="fetching")

    def skip(self, count: int) -> None:
        """`count` of them were landed by an unfinished run before."""
        self._total -= count
        self._bar.update(self._task, total=self._total)

    def update(self, counts: Counts) -> None:
        """So much is landed."""
        if not self._bar.disable:
            if self._total:
                self._bar.update(self._task, completed=counts.done, description=str(counts))
        elif time.monotonic() >= self._next_line:
            self._next_line = time.monotonic() + self._seconds
            if self._total:
                log.info("%s of %s fetched (%s)", f"{counts.done:,}", f"{self._total:,}", counts)
            else:
                log.info("choosing films")


@contextmanager
def display(seconds: float, *, bar: bool = True) -> Iterator[Display]:
    """A display for the length of a run, with a bar if stderr is a terminal and `bar` allows it."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    is_drawn = bar and sys.stderr.isatty()
    drawn = Progress(*columns, console=Console(stderr=True), transient=True, disable=not is_drawn)
    with drawn if is_drawn else nullcontext():
        yield Display(drawn, seconds)
