"""How far a run is: a bar on a terminal, one log line every few seconds elsewhere. All of it on stderr."""

import logging
import sys
import time
from contextlib import AbstractContextManager
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from common.report import Counts

log = logging.getLogger(__name__)


class Display(AbstractContextManager["Display"]):
    """Told of what a run does. Draws a bar if stderr is a terminal and `bar` allows it, else logs a line each
    `seconds`.
    """

    def __init__(self, seconds: float, *, bar: bool = True) -> None:
        self._seconds = seconds
        self._next_line = time.monotonic() + seconds
        self._total = 0
        self._bar: Progress | None = None
        if bar and sys.stderr.isatty():
            columns = (
                TextColumn("{task.description}"),
                BarColumn(),
                MofNCompleteColumn(),
                TimeRemainingColumn(),
            )
            self._bar = Progress(*columns, console=Console(stderr=True), transient=True)
            self._task = self._bar.add_task("choosing films", total=None)

    def __enter__(self) -> "Display":
        if self._bar is not None:
            self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.stop()

    def begin(self, total: int) -> None:
        """`total` resources are to be fetched at most."""
        self._total = total
        if self._bar is not None:
            self._bar.update(self._task, total=total, description="fetching")

    def skip(self, count: int) -> None:
        """`count` of them were landed by an unfinished run before."""
        self._total -= count
        if self._bar is not None:
            self._bar.update(self._task, total=self._total)

    def update(self, counts: Counts) -> None:
        """So much is landed."""
        if self._bar is not None:
            if self._total:
                self._bar.update(self._task, completed=counts.done, description=str(counts))
        elif time.monotonic() >= self._next_line:
            self._next_line = time.monotonic() + self._seconds
            if self._total:
                log.info("%s of %s fetched (%s)", f"{counts.done:,}", f"{self._total:,}", counts)
            else:
                log.info("choosing films")
