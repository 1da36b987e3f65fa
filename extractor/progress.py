"""How far a run is: a bar on a terminal, one log line every few seconds elsewhere. All of it on stderr."""

import logging
import sys
import time
from contextlib import AbstractContextManager
from types import TracebackType
from typing import Protocol

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from extractor.landing import Counts

log = logging.getLogger(__name__)


class Reporter(Protocol):
    """Told of what a run does."""

    def begin(self, total: int) -> None:
        """`total` resources are to be fetched at most."""

    def skip(self, count: int) -> None:
        """`count` of them were landed by an unfinished run before."""

    def update(self, counts: Counts) -> None:
        """So much is landed."""


class _Lines:
    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._total = 0
        self._next = time.monotonic() + seconds

    def begin(self, total: int) -> None:
        self._total = total

    def skip(self, count: int) -> None:
        self._total -= count

    def update(self, counts: Counts) -> None:
        now = time.monotonic()
        if now >= self._next:
            self._next = now + self._seconds
            if not self._total:
                log.info("choosing films")
                return
            log.info("%s of %s fetched (%s)", f"{done(counts):,}", f"{self._total:,}", words(counts))


class _Bar:
    def __init__(self, bar: Progress) -> None:
        self._bar = bar
        self._task = bar.add_task("choosing films", total=None)
        self._total = 0

    def begin(self, total: int) -> None:
        self._total = total
        self._bar.update(self._task, total=total, description="fetching")

    def skip(self, count: int) -> None:
        self._total -= count
        self._bar.update(self._task, total=self._total)

    def update(self, counts: Counts) -> None:
        if self._total:
            self._bar.update(self._task, completed=done(counts), description=words(counts))


class Display(AbstractContextManager[Reporter]):
    """The reporter that fits stderr: a bar on a terminal if `bar` allows it, else a line each `seconds`."""

    def __init__(self, seconds: float, *, bar: bool = True) -> None:
        self._seconds = seconds
        self._may_draw = bar
        self._bar: Progress | None = None

    def __enter__(self) -> Reporter:
        if not (self._may_draw and sys.stderr.isatty()):
            return _Lines(self._seconds)
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            console=Console(stderr=True),
            transient=True,
        )
        self._bar.start()
        return _Bar(self._bar)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.stop()


def done(counts: Counts) -> int:
    """Resources that have come to an end, good or bad."""
    return counts.landed + counts.not_found + counts.failed


def words(counts: Counts) -> str:
    """The counts for a person."""
    return (
        f"{counts.landed:,} landed, {counts.not_found:,} gone (404), {counts.failed:,} failed,"
        f" {counts.retried:,} retries, {counts.bytes / 1e6:,.1f} MB"
    )
