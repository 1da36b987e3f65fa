"""A run: catalogue → client → buffer → landing.

Fetchers, one for each connection, take what to ask for from a short queue and put outcomes into a bounded
buffer; one writer lands them in batches. So memory is bounded by the batch and not by the catalogue. However
a run ends, what is in hand is landed first.
"""

import asyncio
import logging
from collections.abc import Iterable
from typing import Any, Final

from common.errors import ConfigurationError
from common.report import Report
from extractor import landing, options, tmdb
from extractor.answer import LISTS
from extractor.buffer import Buffer
from extractor.choice import films
from extractor.choice.films import Selection
from extractor.errors import SourceError
from extractor.landing import Landing
from extractor.pace import Pace
from extractor.progress import Display
from extractor.rows import Ask, Failure
from extractor.settings import Settings
from extractor.tmdb import Tmdb
from extractor.values import today

log = logging.getLogger(__name__)

#: So many failures in a row, each after all its tries, are an outage: the run ends and can be resumed.
_OUTAGE: Final = 100
#: Of what could not be read, so much is named.
_NAMED: Final = 5
#: Between two looks at how far it is, s.
_REPORT_SECONDS: Final = 0.25


async def extract(settings: Settings, display: Display, report: Report | None = None) -> Landing:
    """Extract once. Raises a `ProgramError`, or `CancelledError` when it was cancelled; in either case what
    was in hand is landed and the ledger says how it ended. `report` follows the run's counts.
    """
    day, parameters = settings.snapshot_date, _parameters(settings)
    async with (
        tmdb.client(settings, Pace(settings.max_rps)) as client,
        landing.run(settings.mode, parameters, day, report or Report(), settings.token.redact) as zone,
    ):
        log.info("run %d: mode %s, snapshot date %s", zone.run_id, settings.mode, day)
        for variable in settings.unused:
            log.warning("mode %s takes no notice of %s", settings.mode, variable)
        if day != today() and settings.asks_tmdb_itself:
            log.warning("TMDB answers for today only: what it says now is landed under %s", day)
        zone.retried = lambda: client.retried
        await _Extraction(settings, zone, client, display).to_the_end()
    return zone


class _Extraction:
    """One run's moving parts."""

    def __init__(self, settings: Settings, zone: Landing, client: Tmdb, display: Display) -> None:
        self._settings = settings
        self._zone = zone
        self._client = client
        self._display = display
        self._buffer = Buffer()
        self._asks: asyncio.Queue[Ask | None] = asyncio.Queue(2 * films.CHUNK)
        self._in_a_row = 0

    async def to_the_end(self) -> None:
        """Fetch and land everything; what is in hand is landed also when this is cancelled or fails."""
        writing = asyncio.create_task(self._write())
        fetching = asyncio.create_task(self._fetch())
        reporting = asyncio.create_task(self._report())
        try:
            await asyncio.wait({writing, fetching}, return_when=asyncio.FIRST_COMPLETED)
        except asyncio.CancelledError:
            self._zone.patience = landing.LAST_PATIENCE
            raise
        finally:
            fetching.cancel()
            reporting.cancel()
            await asyncio.gather(fetching, reporting, return_exceptions=True)
            self._buffer.close()
            await writing  # its error tells more than the fetchers'
        await fetching

    async def _write(self) -> None:
        while batch := await self._buffer.take():
            await self._zone.write(batch)

    async def _report(self) -> None:
        while True:
            await asyncio.sleep(_REPORT_SECONDS)
            self._display.update(self._zone.counts)

    async def _fetch(self) -> None:
        await self._lists()
        selection = await films.select(self._client, self._zone.query, self._settings)
        chosen, tracked = len(selection.ids), selection.tracked
        log.info("%s films chosen, %s of them tracked", f"{chosen:,}", f"{tracked:,}")
        self._zone.problems += selection.problems
        self._zone.requested += len(selection.failures)
        for failure in selection.failures:
            await self._buffer.put(failure)
        # An id that leads to no film is one film less, as a 404 is.
        self._missing(f"{f.resource} {f.resource_id}" for f in selection.failures if f.resource != "ids_file")
        self._display.begin(self._zone.requested + chosen)
        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(self._settings.max_connections):
                    group.create_task(self._fetcher())
                await self._feed(selection)
        except ExceptionGroup as errors:
            raise errors.exceptions[0] from None

    def _missing(self, names: Iterable[str]) -> None:
        """The run has failed when these could not be read."""
        if listed := list(names):
            more = " …" * (len(listed) > _NAMED)
            self._zone.problems.append(f"could not read {', '.join(listed[:_NAMED])}{more}")

    async def _lists(self) -> None:
        """TMDB's lists: the first thing asked for, so that wrong settings show here."""
        wanted = [
            name for name, kind in LISTS.items() if not kind.block or kind.block in self._settings.blocks
        ]
        landed = await self._zone.query(
            "select resource from raw.tmdb_response where resource = any(%(lists)s) and resource_id = 0"
            " and snapshot_date = %(date)s and run_id = any(%(chain)s)",
            {"lists": wanted, "date": self._settings.snapshot_date, "chain": list(self._zone.resumes)},
        )
        asks = [Ask(name, 0, "list") for name in wanted if (name,) not in landed]
        self._zone.requested += len(asks)
        outcomes = await asyncio.gather(*(self._client.fetch(ask) for ask in asks))
        failures = [outcome for outcome in outcomes if isinstance(outcome, Failure)]
        for outcome in outcomes:
            await self._buffer.put(outcome)
        if asks and len(failures) == len(asks):
            where, first = self._settings.base_url, failures[0]
            if first.http_status == 404:
                raise ConfigurationError(
                    f"TMDB_BASE_URL={where} answers, but knows no list of genres (404):"
                    " it must be the API's root, like https://api.themoviedb.org/3"
                )
            raise SourceError(films.unreadable(where, first))
        self._missing(failure.resource for failure in failures)

    async def _feed(self, selection: Selection) -> None:
        skipped = 0
        async for asks, landed in films.sift(self._zone.query, selection, self._settings, self._zone.resumes):
            skipped += landed
            self._display.skip(landed)
            for ask in asks:
                await self._asks.put(ask)
        for _ in range(self._settings.max_connections):
            await self._asks.put(None)
        if skipped:
            runs = ", ".join(map(str, self._zone.resumes))
            log.info("%s films were landed by unfinished run %s of this date", f"{skipped:,}", runs)

    async def _fetcher(self) -> None:
        while (ask := await self._asks.get()) is not None:
            self._zone.requested += 1
            outcome = await self._client.fetch(ask)
            await self._buffer.put(outcome)
            if not isinstance(outcome, Failure):
                self._in_a_row = 0
                continue
            self._in_a_row += 1
            if self._in_a_row >= _OUTAGE:
                raise SourceError(
                    f"TMDB has failed {_OUTAGE} times in a row, last with {outcome.reason}: {outcome.detail}."
                    " What was landed stays; run the same command later: it goes on where this run ended"
                )


def _parameters(settings: Settings) -> dict[str, Any]:
    """What of the settings decides what is fetched, and how; never the token."""
    always = ("limit", "min_popularity", "full_days", "max_rps", "max_connections", "base_url")
    of_a_mode = {
        option.name: getattr(settings, option.name) if option.mode == settings.mode else None
        for option in options.of("run")
        if option.mode
    }
    said = {"language": settings.language or "en-US", "blocks": ",".join(settings.blocks) or "none"}
    return of_a_mode | said | {name: getattr(settings, name) for name in always}
