"""How often to ask: a rate that the whole client shares, with at most a tenth more in *any* one second.

Libraries at hand pace by a leaky bucket that lets a full second's worth burst first (aiolimiter), so that a
window of one second can hold nearly twice the rate.
"""

import asyncio
import logging
import random
import time
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Final

log = logging.getLogger(__name__)

#: Headroom to catch up after a stall: half of the tenth that is allowed (all of it for rates so low that a
#: twentieth is no whole request), so that requests which the network bunches together arrive within it.
_BURST: Final = 1.05
_ALLOWED: Final = 1.1
#: A stall longer than this (s) is not caught up.
_MAX_DEBT: Final = 1.0
#: Clock slack (s): the request that leaves a window of one second is really out of it.
_SLACK: Final = 0.001
#: After a 429 the rate is cut by this factor, down to this part of it, and comes back over so many seconds.
_CUT: Final = 0.5
_FLOOR: Final = 1 / 16
_RECOVERY: Final = 10.0
#: Pause (s) after a 429 that names none: with jitter, doubled while nothing is answered between two of them.
_PAUSE: Final = 0.5
_MAX_PAUSE: Final = 30.0
#: Between two log lines that tell of a 429 (s).
_TELL: Final = 10.0


class Pace:
    """Turns for requests: at most `rate` a second (a twentieth more while catching up), evenly spread.

    `throttled` tells it of a 429: then nobody gets a turn for the pause, the rate is cut in half, and it
    comes back within ten seconds of quiet. `clock` (s) and `sleep` are for tests.
    """

    def __init__(
        self,
        rate: float,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self.rate = rate
        self._clock = clock
        self._sleep = sleep
        self._jitter = jitter
        window = int(rate * _BURST)
        self._window_size = max(1, window if window >= rate else int(rate * _ALLOWED))
        self._starts: deque[float] = deque()
        self._next = clock()
        self._lock = asyncio.Lock()  # wakes its waiters in the order they came
        self._resume = clock() - _RECOVERY
        self._cut_at = float("-inf")
        self._cut_rate = rate
        self._strikes = 0
        self._tell_at = clock()

    def current(self, now: float) -> float:
        """The rate allowed at `now`: the full one, or what has come back since the last cut."""
        return min(self.rate, self._cut_rate + max(0.0, now - self._resume) * self.rate / _RECOVERY)

    async def turn(self) -> float:
        """Wait for one's turn; the time of its start."""
        async with self._lock:
            while (wait := self._wait(now := self._clock())) > 0:
                await self._sleep(wait)
            self._next = max(self._next, now - _MAX_DEBT) + 1 / self.current(now)
            self._starts.append(now)
            return now

    def answered(self) -> None:
        """A request was answered with something else than 429."""
        self._strikes = 0

    def throttled(self, started: float, retry_after: float | None) -> None:
        """The request that started at `started` was answered 429, with a `Retry-After` of so many seconds or
        none.
        """
        now = self._clock()
        if started > self._cut_at:  # requests under way when the rate was cut tell nothing new
            self._strikes += 1
            self._cut_rate = max(self.rate * _FLOOR, self.current(now) * _CUT)
            self._cut_at = now
            if retry_after is None:
                pause = min(_MAX_PAUSE, _PAUSE * 2.0 ** (self._strikes - 1))
                retry_after = pause * (0.5 + self._jitter() / 2)
            log.log(
                logging.INFO if now >= self._tell_at else logging.DEBUG,
                "TMDB says 429, too many requests: pausing %.1f s, then on at %.1f requests/s",
                retry_after,
                self._cut_rate,
            )
            self._tell_at = now + _TELL
            self._next = now  # what was missed in the pause is not caught up
        if retry_after is not None:
            self._resume = max(self._resume, now + retry_after)
            self._next = max(self._next, self._resume)

    def _wait(self, now: float) -> float:
        while self._starts and now - self._starts[0] >= 1 + _SLACK:
            self._starts.popleft()
        wait = max(self._next, self._resume) - now
        if len(self._starts) >= self._window_size:
            oldest = self._starts[len(self._starts) - self._window_size]
            wait = max(wait, oldest + 1 + _SLACK - now)
        return wait
