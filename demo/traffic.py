"""What the server has seen: requests by path, when they came, how many at once; and a limit on their rate."""

import time
from array import array
from bisect import bisect_right
from collections import Counter, deque
from typing import Any, Final

#: Beyond so many paths, new ones are counted under their parent: a million films must not fill the memory.
_PATHS_MAX: Final = 100_000


class Traffic:
    """Counts and times of the requests under /3 and /p/exports since the start or the last `reset`.

    Written by the server's thread alone. Times are seconds of `time.monotonic()`.
    """

    def __init__(self) -> None:
        self.open_connections = 0
        self.in_flight = 0
        self.reset()

    def reset(self) -> None:
        """Forget all but what is open now."""
        self.paths: Counter[str] = Counter()
        self.statuses: Counter[int] = Counter()
        self.times = array("d")
        self.peak_connections = self.open_connections
        self.peak_in_flight = self.in_flight
        self.limited = 0
        self._accepted: deque[float] = deque()

    def connected(self, more: int) -> None:
        """A connection was opened (1) or closed (-1)."""
        self.open_connections += more
        self.peak_connections = max(self.peak_connections, self.open_connections)

    def arrived(self, path: str) -> None:
        """A request came in."""
        self.times.append(time.monotonic())
        if len(self.paths) >= _PATHS_MAX and path not in self.paths:
            path = path.rpartition("/")[0] + "/…"
        self.paths[path] += 1
        self.in_flight += 1
        self.peak_in_flight = max(self.peak_in_flight, self.in_flight)

    def left(self, status: int) -> None:
        """A request was answered, with `status`, or 0 where the connection was cut instead."""
        self.in_flight -= 1
        self.statuses[status] += 1

    def over(self, limit: int) -> int:
        """How many requests the last second holds with this one, if that is more than `limit`; else 0. A
        refused request does not count against it.
        """
        now = self.times[-1]
        while self._accepted and self._accepted[0] <= now - 1:
            self._accepted.popleft()
        if len(self._accepted) >= limit:
            self.limited += 1
            return len(self._accepted) + 1
        self._accepted.append(now)
        return 0

    @property
    def total(self) -> int:
        """Requests in all."""
        return len(self.times)

    def count(self, prefix: str) -> int:
        """Requests whose path (without the query) begins so, e.g. "/3/movie/603" or "/3/discover/"."""
        return sum(number for path, number in self.paths.copy().items() if path.startswith(prefix))

    def highest_rate(self) -> int:
        """The most requests that came within any one second."""
        times = self.times[:]
        return max((at - bisect_right(times, then - 1) for at, then in enumerate(times, 1)), default=0)

    def summary(self) -> dict[str, Any]:
        """The figures as JSON."""
        names = ("limited", "open_connections", "peak_connections", "peak_in_flight")
        return {
            "requests": self.total,
            "statuses": {str(status): number for status, number in sorted(self.statuses.items())},
            **{name: getattr(self, name) for name in names},
            "highest_rate": self.highest_rate(),
        }
