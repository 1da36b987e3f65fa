"""What the rivals share: the job, the requests it takes, the pace."""

import os
import threading
import time
from dataclasses import dataclass
from typing import Final

#: Requests that may be caught up after a stall, in seconds of the rate.
_DEBT: Final = 0.05


@dataclass(frozen=True)
class Job:
    """Land the films of the first `pages` pages as of `date`, at most `max_rps` requests a second (0: as many
    as can be), from `connections` threads; `full`: with credits and keywords.
    """

    base_url: str
    token: str
    date: str
    pages: int
    max_rps: float
    connections: int
    full: bool

    @classmethod
    def from_environment(cls) -> "Job":
        """The job that `benchmarks.extract` gives. Raises KeyError."""
        return cls(
            os.environ["TMDB_BASE_URL"],
            os.environ["TMDB_TOKEN"],
            os.environ["TMDB_SNAPSHOT_DATE"],
            int(os.environ["TMDB_PAGES"]),
            float(os.environ["BENCH_RPS"]),
            int(os.environ["TMDB_MAX_CONNECTIONS"]),
            os.environ["BENCH_FULL"] == "yes",
        )

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}", "Accept": "application/json"}

    def page(self, number: int) -> str:
        """The address of a page of the list."""
        query = f"sort_by=popularity.desc&include_adult=false&page={number}"
        return f"{self.base_url}/discover/movie?{query}"

    def film(self, film_id: int) -> str:
        """The address of a film."""
        query = "?append_to_response=credits%2Ckeywords" if self.full else ""
        return f"{self.base_url}/movie/{film_id}{query}"


class Turns:
    """Turns for requests of any number of threads, evenly spread; a `rate` of 0 is no limit."""

    def __init__(self, rate: float) -> None:
        self._rate = rate
        self._next = 0.0
        self._lock = threading.Lock()

    def wait(self) -> None:
        """Wait for one's turn."""
        if not self._rate:
            return
        with self._lock:
            now = time.monotonic()
            mine = max(self._next, now - _DEBT)
            self._next = mine + 1 / self._rate
        if mine > now:
            time.sleep(mine - now)


def without_nul(body: bytes) -> bytes:
    """The JSON text without escaped NULs, which jsonb can't hold; nobody gets round that."""
    return body.replace(b"\\u0000", b"")
