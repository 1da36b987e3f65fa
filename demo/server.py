"""Runs the stand-in: in a thread of a test, or as a process of its own.

In a test (everything may be changed while it runs)::

    from demo.server import Faults, StandIn

    with StandIn(films=500, today=date(2026, 8, 1)) as tmdb:
        tmdb.base_url, tmdb.export_url, tmdb.token  # for TMDB_BASE_URL, TMDB_EXPORT_URL, TMDB_TOKEN
        tmdb.today = date(2026, 8, 2)               # the next day's answers
        tmdb.film(603)                              # a payload as dict, or None where the API says 404
        tmdb.ids()                                  # ids by popularity, as discover ranks them
        tmdb.override(603, {"genres": []}, since=date(2026, 8, 3))  # or function(film, day); or bytes
        tmdb.override(99_000_001, {"title": "X"})   # an id that is free: one more film
        tmdb.delete(604, since=date(2026, 8, 2))    # 404 from that day; listed=True: discover has it still
        tmdb.restore(603)                           # takes that back; restore() takes back everything
        tmdb.use(data=Path("2019-12-07.jsonl.gz"))  # another source; overrides and deletions are gone
        tmdb.use(source=world)                      # one of the test's own: demo.source.Source
        tmdb.lists["/genre/movie/list"] = {...}     # TMDB's lists, by path
        tmdb.latency, .repeats, .max_rps, .watch    # see demo.api.Api
        tmdb.faults = Faults.parse("500=0.05,reset=0.01", seed=1)  # see demo.faults; Faults() is none
        tmdb.faults.injected                        # how many of each kind there were
        tmdb.traffic.total, .count("/3/movie/"), .peak_connections, .highest_rate(), .times, .reset()
        tmdb.stop(), tmdb.start()                   # the API is away, and back at the same address

For a benchmark, whose client must not share the interpreter with the server::

    with StandInProcess("--films", "10000", "--latency", "50") as tmdb:
        tmdb.base_url, tmdb.export_url, tmdb.token, tmdb.pid
        tmdb.today = date(2026, 8, 2)
        tmdb.inject("all=0.05", seed=1)
        tmdb.stats()["peak_connections"]            # requests, statuses, rates, faults: demo.traffic
"""

import asyncio
import json
import subprocess
import sys
import tempfile
import threading
import urllib.request
from datetime import date
from pathlib import Path
from typing import Any, Self

import uvloop
from aiohttp import web
from aiohttp.web_protocol import RequestHandler

from demo.api import Api
from demo.catalogue import Catalogue
from demo.edits import Alteration, Edited
from demo.faults import Faults
from demo.recorded import Recorded
from demo.slots import FIRST_DAY
from demo.source import Film, Query, Source

DEFAULT_TOKEN = "demo-token"  # noqa: S105  (the stand-in's, it opens nothing else)
DEFAULT_FILMS = 2000
DEFAULT_SEED = "tmdb"


class _CountingServer(web.Server):
    """Tells the traffic of connections opened and closed."""

    def __init__(self, api: Api) -> None:
        super().__init__(api, access_log=None)
        self._connected = api.traffic.connected

    def connection_made(self, handler: RequestHandler, transport: asyncio.Transport) -> None:
        super().connection_made(handler, transport)
        self._connected(1)

    def connection_lost(self, handler: RequestHandler, exc: BaseException | None = None) -> None:
        super().connection_lost(handler, exc)
        self._connected(-1)


def _edited(films: int, seed: str, data: Path | None) -> Edited:
    """The real films of a file, or a synthetic catalogue, to be changed."""
    return Edited(Catalogue(seed, films) if data is None else Recorded(data))


class StandIn(Api):
    """The stand-in in a thread, for the length of a `with` block. The module's docstring shows its use.

    `today` None answers for the current UTC day. Raises OSError for a port that is taken, ValueError for a
    data file that cannot be served or a number of films out of range.
    """

    def __init__(
        self,
        *,
        films: int = DEFAULT_FILMS,
        seed: str = DEFAULT_SEED,
        today: date | None = None,
        data: Path | None = None,
        token: str = DEFAULT_TOKEN,
        host: str = "127.0.0.1",
        port: int = 0,
        latency: float = 0.0,
        repeats: float | None = None,
        max_rps: int | None = None,
        faults: str = "",
        fault_seed: int = 0,
    ) -> None:
        super().__init__(_edited(films, seed, data), token)
        self.today = today
        self.latency, self.repeats, self.max_rps = latency, repeats, max_rps
        self.faults = Faults.parse(faults, fault_seed)
        self._address = (host, port)
        self._loop: asyncio.AbstractEventLoop | None = None

    # --- running --------------------------------------------------------------------------------------------

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Serve. A stand-in that was stopped comes back on the same port."""
        self._loop = uvloop.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="tmdb-stand-in", daemon=True)
        self._thread.start()
        try:
            asyncio.run_coroutine_threadsafe(self._listen(), self._loop).result()
        except BaseException:
            self.stop()
            raise

    async def _listen(self) -> None:
        self._runner = web.ServerRunner(_CountingServer(self), shutdown_timeout=0.2)
        await self._runner.setup()
        await web.TCPSite(self._runner, *self._address, backlog=1024).start()
        self._address = (self._address[0], self._runner.addresses[0][1])

    def stop(self) -> None:
        """Stop serving: connections are cut, new ones refused."""
        if self._loop is not None:
            asyncio.run_coroutine_threadsafe(self._runner.cleanup(), self._loop).result()
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join()
            self._loop.close()
            self._loop = None

    @property
    def origin(self) -> str:
        """Scheme, host and port."""
        host, port = self._address
        return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"

    @property
    def base_url(self) -> str:
        """What TMDB_BASE_URL should be."""
        return f"{self.origin}/3"

    @property
    def export_url(self) -> str:
        """What TMDB_EXPORT_URL should be."""
        return f"{self.origin}/p/exports"

    # --- films ----------------------------------------------------------------------------------------------

    def use(
        self,
        *,
        films: int = DEFAULT_FILMS,
        seed: str = DEFAULT_SEED,
        data: Path | None = None,
        source: Source | None = None,
    ) -> None:
        """Serve another source: `source`, or else as at the start. Overrides and deletions are gone."""
        self.films = Edited(source) if source else _edited(films, seed, data)

    def film(self, film_id: int, day: date | None = None) -> Film | None:
        """The payload of /movie/{id} on the day (default today); None where it is a 404."""
        return self.films.film(film_id, (day or self.today).toordinal())

    def ids(self, day: date | None = None) -> list[int]:
        """Ids as discover ranks them on the day (default today), without repeats, at most 10,000."""
        return list(self.films.ranking(Query(), (day or self.today).toordinal()).ids)

    def override(self, film_id: int, change: Alteration, since: date = FIRST_DAY) -> None:
        """Alter a film from a day on (see Alteration), or add one, which discover lists where it belongs."""
        self.films.override(film_id, change, since.toordinal())

    def delete(self, film_id: int, since: date = FIRST_DAY, *, listed: bool = False) -> None:
        """Answer 404 for a film from a day on; `listed` leaves it in discover and the export."""
        self.films.delete(film_id, since.toordinal(), listed)

    def restore(self, film_id: int | None = None) -> None:
        """Take back what `override` and `delete` did to a film, or to all."""
        self.films.restore(film_id)


class StandInProcess:
    """The stand-in as a process of its own, for the length of a `with` block.

    Takes the options of `python -m demo serve`. Raises RuntimeError, with what the process said, if it does
    not start.
    """

    def __init__(self, *options: str, token: str = DEFAULT_TOKEN) -> None:
        self.token = token
        self._options = [*options, "--token", token]
        self.base_url = ""

    def __enter__(self) -> Self:
        # however this program ends, killed too, the server does not outlive it
        command = [sys.executable, "-m", "demo", "serve", "--end-with-stdin", *self._options]
        folder, pipe = Path(__file__).resolve().parent.parent, subprocess.PIPE
        # a file, not a pipe: a pipe that nobody empties would stop the server when it is full
        with tempfile.TemporaryFile("w+", encoding="utf-8") as said:
            self._process = subprocess.Popen(
                command, cwd=folder, stdin=pipe, stdout=pipe, stderr=said, text=True
            )
            self.base_url = self._process.stdout.readline().strip() if self._process.stdout else ""
            if not self.base_url:
                self.__exit__()
                said.seek(0)
                raise RuntimeError(f"the stand-in did not start: {said.read().strip()}")
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        # waits for its end, and closes its pipes
        self._process.__exit__(None, None, None)

    @property
    def export_url(self) -> str:
        """What TMDB_EXPORT_URL should be."""
        return self.base_url.removesuffix("/3") + "/p/exports"

    @property
    def pid(self) -> int:
        """The process's id, to measure it by."""
        return self._process.pid

    @property
    def today(self) -> date:
        """The day that is answered for."""
        return date.fromisoformat(self.stats()["date"])

    @today.setter
    def today(self, day: date) -> None:
        self._control(date=day.isoformat())

    def stats(self) -> dict[str, Any]:
        """Requests so far: see `demo.api`."""
        return self._control()

    def inject(self, faults: str, seed: int = 0) -> None:
        """Inject these faults from now on: a specification as in `demo.faults`; "" for none."""
        self._control(faults=faults, seed=seed)

    def reset(self) -> None:
        """Forget the requests and faults so far."""
        self._control(reset=True)

    def _control(self, **asked: object) -> dict[str, Any]:
        url, data = self.base_url.removesuffix("/3") + "/_demo", json.dumps(asked).encode()
        with urllib.request.urlopen(url, data, timeout=30) as response:  # noqa: S310
            answer: dict[str, Any] = json.load(response)
        return answer
