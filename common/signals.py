"""Runs a program's coroutine so that a signal ends it soon, in order, and with the right exit code."""

import asyncio
import logging
import os
import signal
import threading
from collections.abc import Callable, Coroutine
from typing import Any, Final, TypeVar

from common.errors import ProgramError, StoppedError

log = logging.getLogger(__name__)

T = TypeVar("T")

#: After a signal the program ends within 5 s, whatever the network and PostgreSQL do: so long the work may
#: take to end by itself, and so long the last word about it.
_WORK_SECONDS: Final = 3.5
LAST_WORD_SECONDS: Final = 1.0
#: A signal sent to a whole group, and handed on by a parent of that group, comes twice within this time, s.
_SAME_SECONDS: Final = 0.25

HEARD: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def not_ignored() -> list[signal.Signals]:
    """The signals to be heard: one that was ignored when the program started, as by nohup, stays ignored."""
    return [number for number in HEARD if signal.getsignal(number) is not signal.SIG_IGN]


def execute(
    work: Coroutine[Any, Any, T],
    *,
    meanwhile: str = "ending",
    afterwards: str = "stopped before the end",
    hand_on: Callable[[signal.Signals], bool] | None = None,
    at_last: Callable[[int], None] | None = None,
) -> T:
    """Run `work`; a signal cancels it, and the program ends within 5 seconds, at a second signal at once.

    `meanwhile` is logged when the signal comes, `afterwards` is what `StoppedError` says. `at_last` is called
    with the exit code when the work does not end in time, just before the program ends without it. A signal
    for which `hand_on` is true was given to a program that the work waits for: its end will end the work.
    """
    # uvloop's programs hear signals that were ignored here, as by nohup: who starts programs is without it
    with asyncio.Runner(loop_factory=None if hand_on else _loop_factory()) as runner:
        return runner.run(_stoppable(work, meanwhile, afterwards, hand_on, at_last))


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    try:
        import uvloop
    except ImportError:  # Windows has none
        return None
    factory: Callable[[], asyncio.AbstractEventLoop] = uvloop.new_event_loop
    return factory


async def _stoppable(
    work: Coroutine[Any, Any, T],
    meanwhile: str,
    afterwards: str,
    hand_on: Callable[[signal.Signals], bool] | None,
    at_last: Callable[[int], None] | None,
) -> T:
    task = asyncio.ensure_future(work)
    loop = asyncio.get_running_loop()
    received: list[signal.Signals] = []
    first_at = 0.0

    def end_now(code: int) -> None:
        try:
            log.error("%s", afterwards)
            if at_last is not None:
                at_last(code)
        finally:
            os._exit(code)

    def stop(number: signal.Signals) -> None:
        nonlocal first_at
        if hand_on is not None and hand_on(number):
            return
        code = 128 + number
        if received:
            if loop.time() - first_at > _SAME_SECONDS:
                os._exit(code)
            return
        received.append(number)
        first_at = loop.time()
        log.warning("%s: %s", number.name, meanwhile)
        watchdog = threading.Timer(_WORK_SECONDS, end_now, [code])
        watchdog.daemon = True
        watchdog.start()
        task.cancel()

    for number in not_ignored():
        loop.add_signal_handler(number, stop, number)
    try:
        return await task
    except asyncio.CancelledError:
        if not received:
            raise
        raise StoppedError(afterwards, 128 + received[0]) from None
    except ProgramError as error:  # it could not end in order, as without PostgreSQL, and says so
        if not received:
            raise
        raise StoppedError(str(error), 128 + received[0]) from error
